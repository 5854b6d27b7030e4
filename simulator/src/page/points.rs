//! What a sweep says of each choice of its design: its sessions taken together, whatever their seeds.

use std::collections::BTreeMap;

use crate::results::{Table, Values};

/// A row for each choice of the design's values in their order in the table: its sessions, those with a sum, and of these
/// the medians of survivors, of seconds of virtual time, and of bytes for each input; none if the table is of no sweep.
pub(super) fn of(table: &Table) -> Option<Table> {
    let chosen: Vec<_> = table.columns.iter().filter(|column| column.name.starts_with("set.")).collect();
    let Some(Values::Texts(abort)) = table.column("abort") else { return None };
    if chosen.is_empty() {
        return None;
    }
    let choice = |row: usize| chosen.iter().map(|column| column.values.text(row)).collect::<Vec<_>>();
    let mut groups: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    let mut places = BTreeMap::new();
    for row in 0..table.rows() {
        let choice = choice(row);
        let place = *places.entry(choice.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((choice, Vec::new()));
        }
        groups[place].1.push(row);
    }
    let number = |name: &str, row: usize| table.column(name).and_then(|column| column.number(row));
    let median = |name: &str, of: &dyn Fn(usize) -> Option<f64>| {
        let texts = groups.iter().map(|(_, rows)| {
            let mut values: Vec<f64> =
                rows.iter().filter(|row| abort[**row].is_empty()).filter_map(|row| of(*row)).collect();
            values.sort_by(f64::total_cmp);
            let middle = [values.len().saturating_sub(1) / 2, values.len() / 2].map(|at| values.get(at));
            let [Some(low), Some(high)] = middle else { return String::new() };
            format!("{:.1}", (low + high) / 2.0)
        });
        (name.to_owned(), texts.collect::<Vec<_>>())
    };
    let medians = [
        median("survivors, median", &|row| number("survivors", row)),
        median("seconds, median", &|row| Some(number("duration", row)? / 1e9)),
        median("bytes for each input, median", &|row| {
            Some((number("up_bytes", row)? + number("down_bytes", row)?) / number("survivors", row)?.max(1.0))
        }),
    ];
    let mut out = Table::default();
    for (at, column) in chosen.iter().enumerate() {
        let name = column.name.trim_start_matches("set.");
        out = out.texts(name, groups.iter().map(|(choice, _)| choice[at].clone()));
    }
    let with_a_sum = |rows: &[usize]| rows.iter().filter(|row| abort[**row].is_empty()).count() as u64;
    out = out.counts("sessions", groups.iter().map(|(_, rows)| rows.len() as u64));
    out = out.counts("with a sum", groups.iter().map(|(_, rows)| with_a_sum(rows)));
    Some(medians.into_iter().fold(out, |out, (name, texts)| out.texts(&name, texts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_a_choice_are_taken_together() {
        let texts = |values: &[&str]| values.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let table = Table::default()
            .counts("point", [0, 1, 2, 3])
            .texts("set.quorum", texts(&["0.9", "1", "0.9", "0.9"]))
            .counts("survivors", [10, 20, 30, 0])
            .texts("abort", texts(&["", "", "", "nobody"]))
            .counts("duration", [1_000_000_000, 2_500_000_000, 4_000_000_000, 9_000_000_000])
            .counts("up_bytes", [100, 100, 300, 1])
            .counts("down_bytes", [100, 100, 0, 1]);
        let points = of(&table).unwrap();
        let lines: Vec<String> = points.to_csv().lines().skip(1).map(str::to_owned).collect();
        assert_eq!(lines, ["0.9,3,2,20.0,2.5,15.0", "1,1,1,20.0,2.5,10.0"]);
        let plain = Table::default().texts("abort", texts(&[""]));
        assert_eq!(of(&plain), None);
    }
}

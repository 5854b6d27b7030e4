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
            three_digits((low + high) / 2.0)
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
        let name = column.name.strip_prefix("set.").unwrap_or(&column.name);
        out = out.texts(name, groups.iter().map(|(choice, _)| choice[at].clone()));
    }
    let with_a_sum = |rows: &[usize]| rows.iter().filter(|row| abort[**row].is_empty()).count() as u64;
    // No field of a scenario has a space in its name.
    out = out.counts("all sessions", groups.iter().map(|(_, rows)| rows.len() as u64));
    out = out.counts("with a sum", groups.iter().map(|(_, rows)| with_a_sum(rows)));
    Some(medians.into_iter().fold(out, |out, (name, texts)| out.texts(&name, texts)))
}

/// A figure with three significant digits; of a larger one all whole ones.
fn three_digits(value: f64) -> String {
    let before_the_point = value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32 + 1;
    let decimals = if value == 0.0 { 0 } else { (3 - before_the_point).max(0) };
    format!("{value:.*}", decimals as usize)
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
        assert_eq!(lines, ["0.9,3,2,20.0,2.50,15.0", "1,1,1,20.0,2.50,10.0"]);
        let names = points.to_csv().lines().next().map(str::to_owned).unwrap();
        assert!(names.starts_with("quorum,all sessions,with a sum,"), "{names}");
        let plain = Table::default().texts("abort", texts(&[""]));
        assert_eq!(of(&plain), None);
    }

    #[test]
    fn a_field_of_a_design_keeps_its_name_beside_the_figures() {
        let table = Table::default()
            .texts("set.sessions", ["3".to_owned()])
            .texts("set.set.sessions", ["4".to_owned()])
            .texts("abort", [String::new()]);
        let names: Vec<String> = of(&table).unwrap().columns.into_iter().map(|column| column.name).collect();
        assert_eq!(names[..4], ["sessions", "set.sessions", "all sessions", "with a sum"]);
    }

    #[test]
    fn small_figures_have_digits_that_tell_something() {
        for (value, text) in [
            (0.0, "0"),
            (0.001_234, "0.00123"),
            (0.5, "0.500"),
            (-2.5, "-2.50"),
            (20.0, "20.0"),
            (1234.6, "1235"),
        ] {
            assert_eq!(three_digits(value), text);
        }
    }
}

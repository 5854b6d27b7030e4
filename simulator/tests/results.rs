//! What a run leaves: one page for people, tables for programs.

use std::path::Path;
use std::process::Command;

use secagg_simulator::page::Sources;
use secagg_simulator::{Calibration, Mode, Report, Scenario, Simulation};

fn report(title: &str, clients: u32, dropout: f64) -> Report {
    let text = format!(
        "title = {title:?}\nclients = {clients}\ngraph = {{ kind = \"regular\", degree = 12, threshold = 7 }}\n\
         vectors = [{{ name = \"w\", length = 1000, bits = 20 }}]\n\
         faults.dropouts = [{{ probability = {dropout} }}]"
    );
    let scenario = Scenario::parse(&text, "test").unwrap();
    Simulation::new(scenario, &Calibration::built_in(), Mode::Model).unwrap().run(&|_| true).unwrap()
}

/// A run with a private vector.
fn private() -> Report {
    let text = "title = \"private\"\nclients = 60\nminimum_survivors = 50\nsessions = 2\n\
        [privacy]\nepsilon = 4.0\ndelta = 1e-6\ndimension = 1000\nbits = 16";
    let scenario = Scenario::parse(text, "test").unwrap();
    Simulation::new(scenario, &Calibration::built_in(), Mode::Model).unwrap().run(&|_| true).unwrap()
}

fn page() -> String {
    let mut first = report("<script>alert(\"&\")</script>", 60, 0.02);
    first.replay = "secagg-simulator run 'a & b.toml'".to_owned();
    let reports = vec![first, private(), report("other", 120, 0.1), report("aborted", 60, 0.9)];
    Sources { reports, tables: Vec::new() }.to_html()
}

#[test]
fn a_page_is_well_formed_and_refers_to_nothing_outside() {
    let page = page();
    let mut reader = quick_xml::Reader::from_str(&page);
    reader.config_mut().check_end_names = true;
    let (mut depth, mut pictures) = (0, 0);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) => {
                depth += 1;
                pictures += usize::from(tag.name().as_ref() == b"svg");
                assert_ne!(tag.name().as_ref(), b"script");
                assert_ne!(tag.name().as_ref(), b"link");
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    // Three over all sessions, a time line for each run, and the error of the private vector against its bits.
    assert_eq!((depth, pictures), (0, 8));
    assert!(page.contains("central Gaussian") && page.contains("composed_epsilon_server"));
    let outside = page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "");
    for reference in ["http:", "https:", "src=", "@import", "url(//"] {
        assert!(!outside.contains(reference), "{reference}");
    }
    assert!(page.contains("secagg-simulator run 'a &amp; b.toml'"));
    assert!(page.contains("Bonawitz17") && page.contains("bits · d / 8"));
}

#[test]
fn a_report_survives_its_file() {
    for report in [report("again", 60, 0.1), private()] {
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    }
}

#[test]
fn a_browser_shows_the_page() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    }) else {
        println!("no chromium is installed: the page was not looked at");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (file, picture) = (folder.path().join("page.html"), folder.path().join("page.png"));
    std::fs::write(&file, page()).unwrap();
    screenshot(browser, &file, &picture);
    let full = std::fs::metadata(&picture).unwrap().len();
    // The same page with empty room for its pictures: what they add must be seen.
    let text = page();
    let mut bare = String::new();
    for part in text.split("<svg") {
        let rest = part.split_once("</svg>").map(|(_, rest)| rest);
        bare += &rest.map_or(part.to_owned(), |rest| format!("<div style=\"height:420px\"></div>{rest}"));
    }
    std::fs::write(&file, bare).unwrap();
    screenshot(browser, &file, &picture);
    let bare = std::fs::metadata(&picture).unwrap().len();
    assert!(full > bare + 10_000, "{full} {bare}");
}

fn screenshot(browser: &str, file: &Path, picture: &Path) {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,2400"])
        .arg(format!("--user-data-dir={}", file.with_extension("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    assert!(picture.is_file(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_sweep_is_the_same_in_any_number_of_parts_and_goes_on_where_it_was() {
    use secagg_simulator::sweep::{Sweep, merge};
    let design = Path::new(env!("CARGO_MANIFEST_DIR")).join("sweeps/degree.toml");
    let sweep = Sweep::read(&design, Calibration::built_in()).unwrap();
    assert_eq!(sweep.points(), 120);
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, index, of| {
        sweep.run((index, of), Mode::Model, &folder.path().join(name), &|_| true).unwrap()
    };
    assert!(run("one", 0, 1) && run("three", 0, 3) && run("three", 2, 3));
    let error = merge(&folder.path().join("three")).unwrap_err();
    assert!(error.contains("1 of 3 parts are missing, the first is --index 1"), "{error}");
    let kept = Sweep::part(&folder.path().join("three"), 0, 3);
    let before = std::fs::metadata(&kept).unwrap().modified().unwrap();
    assert!(!sweep.run((1, 3), Mode::Model, &folder.path().join("three"), &|_| false).unwrap());
    assert!(run("three", 0, 3) && run("three", 1, 3));
    assert_eq!(std::fs::metadata(&kept).unwrap().modified().unwrap(), before);
    assert_eq!(merge(&folder.path().join("one")).unwrap(), merge(&folder.path().join("three")).unwrap());
}

#[test]
fn the_documents_name_every_column() {
    use secagg_simulator::results::{classes, rounds, sessions};
    let text = "clients = 10\nminimum_survivors = 8\nadversaries.colluding = 0.0\n\
                privacy = { multiplier = 2, delta = 1e-5, dimension = 10 }";
    let scenario = Scenario::parse(text, "test").unwrap();
    let simulation = Simulation::new(scenario, &Calibration::built_in(), Mode::Real).unwrap();
    let report = simulation.run(&|_| true).unwrap();
    let readme = include_str!("../scenarios/README.md");
    let (_, after) = readme.split_once("| table | columns |\n").unwrap();
    let described: String = after.lines().take_while(|line| line.starts_with('|')).collect();
    for table in [sessions(&report), rounds(&report), classes(&report)] {
        assert!(table.rows() > 0);
        for column in table.columns {
            assert!(described.contains(&format!("`{}`", column.name)), "{}", column.name);
        }
    }
}

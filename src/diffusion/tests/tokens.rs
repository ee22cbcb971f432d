use super::fixture;
use crate::diffusion::DiffusionModel;
use candle_core::Device;

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn tokens_equal_the_reference_on_tricky_strings() {
    let text = std::fs::read_to_string(fixture("tokens.json")).unwrap();
    let recorded: std::collections::BTreeMap<String, Vec<Case>> =
        serde_json::from_str(&text).unwrap();
    assert_eq!(recorded.len(), 3);
    for (name, cases) in recorded {
        let model = DiffusionModel::load(&fixture(&name), &Device::Cpu).unwrap();
        for case in cases {
            let report = model.tokenize_report(&case.text).unwrap();
            assert_eq!(report.ids, case.ids, "{name}: {:?}", case.text);
        }
    }
}

#[test]
fn the_report_says_what_was_cut_and_what_is_unknown() {
    let model = DiffusionModel::load(&fixture("pixel_space"), &Device::Cpu).unwrap();
    let report = model.tokenize_report("A bald man, zorblax hair and Zorblax eyes").unwrap();
    assert_eq!(report.unknown, ["zorblax", "Zorblax"]);
    assert_eq!((report.tokens, report.limit, report.cut), (9, 75, None));
    let long = format!("{}green eyes blue", "man ".repeat(74));
    let report = model.tokenize_report(&long).unwrap();
    assert_eq!(report.cut.as_deref(), Some("eyes blue"));
    assert_eq!((report.tokens, report.ids.len()), (77, 77));
    // A byte vocabulary knows everything.
    let model = DiffusionModel::load(&fixture("sd_like"), &Device::Cpu).unwrap();
    let report = model.tokenize_report("zorblax \u{1F600} \u{4F60}\u{597D}").unwrap();
    assert_eq!(report.unknown, Vec::<String>::new());
    let report = model.tokenize_report("   ").unwrap();
    assert_eq!((report.tokens, report.unknown.len()), (0, 0));
}

//! The same person after an instruction.

use super::SessionError;
use super::person;
use crate::diffusion::{DiffusionError, InstructionReader, embedded};
use crate::render::studio::StudioSample;
use serde_json::Value;

/// Somebody after an edit in words.
#[derive(Debug, Clone)]
pub struct EditedPerson {
    /// The same person with the new look.
    pub sample: StudioSample,
    /// What changed: names of attributes (see [`crate::head::Look::attributes`]) with their new
    /// values. Empty if the instruction means nothing, or is fulfilled already.
    pub changed: Vec<(String, Value)>,
    /// Words of the instruction that mean nothing here.
    pub ignored: Vec<String>,
}

/// The reader of instructions that the program carries.
///
/// # Errors
/// If it cannot be unpacked or loaded.
pub fn reader() -> Result<InstructionReader, SessionError> {
    let folder = embedded::instructions().map_err(DiffusionError::from)?;
    Ok(InstructionReader::load(&folder, &candle_core::Device::Cpu)?)
}

/// Somebody after an instruction. `before` is a person as [`person::sample`] makes one from
/// `seed`, or what earlier edits made of it: whatever the look, that seed's draws are the
/// identity.
///
/// # Errors
/// If the instruction cannot be read.
pub fn edited(
    reader: &InstructionReader,
    before: &StudioSample,
    seed: u64,
    instruction: &str,
) -> Result<EditedPerson, DiffusionError> {
    let mut look = before.look.at_rest();
    let attributes = look.attributes();
    let mut changed = Vec::new();
    for change in reader.read(instruction, &attributes)? {
        let Some(value) = change.value() else { continue };
        let name = &change.odds.name;
        if attributes.get(name) == Some(value) {
            continue;
        }
        // A reader may know attributes and values that this studio does not draw.
        if let Some(after) = look.with_attribute(name, value) {
            look = after;
            changed.push((name.clone(), value.clone()));
        }
    }
    let sample = if changed.is_empty() { before.clone() } else { person::shaped(look, seed) };
    Ok(EditedPerson { sample, changed, ignored: reader.ignored_words(instruction) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::PromptReader;
    use crate::head::Look;
    use candle_core::Device;

    const SEED: u64 = 5;

    fn person(prompt: &str) -> StudioSample {
        let folder = embedded::reader().unwrap();
        let reader = PromptReader::load(&folder, &Device::Cpu).unwrap().unwrap();
        person::sample(&reader, prompt, SEED).unwrap()
    }

    fn edit(before: &StudioSample, instruction: &str) -> EditedPerson {
        edited(&reader().unwrap(), before, SEED, instruction).unwrap()
    }

    /// What changed, as "age: middle".
    fn changes(edited: &EditedPerson) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        edited.changed.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect()
    }

    #[test]
    fn an_older_man_is_the_same_man() {
        let before = person("a young man with short brown hair");
        let after = edit(&before, "make him older");
        assert_eq!(changes(&after), ["age: middle"]);
        assert!(after.ignored.is_empty());
        assert_eq!(after.sample.look, Look { age: after.sample.look.age, ..before.look.at_rest() });
        assert_eq!(after.sample.seed, before.seed);
        let (old, new) = (&before.params, &after.sample.params);
        assert!(new.age > old.age + 0.02, "{} {}", old.age, new.age);
        assert_eq!((new.gender, new.muscle, &new.sliders), (old.gender, old.muscle, &old.sliders));
        assert_eq!(new.ethnicity, old.ethnicity);
    }

    #[test]
    fn dyeing_touches_the_hair_alone() {
        let before = person("a young woman with long blond hair");
        let after = edit(&before, "give her blue hair");
        assert_eq!(changes(&after), ["hair_color: blue"]);
        assert_eq!(after.sample.params, before.params);
        assert_eq!(after.sample.seed, before.seed);
        // Once more, and nothing is left to do.
        assert!(edit(&after.sample, "give her blue hair").changed.is_empty());
    }

    #[test]
    fn nonsense_changes_nothing() {
        let before = person("an old man with a grey beard");
        for instruction in [
            "make him a cat-loving accountant",
            "quantum flux capacitor",
            "give him a red car",
            "please translate this into French",
            "",
            "?!",
        ] {
            let after = edit(&before, instruction);
            assert_eq!(changes(&after), Vec::<String>::new(), "{instruction}");
            assert_eq!(after.sample.look, before.look);
            assert_eq!(after.sample.params, before.params);
        }
        let ignored = edit(&before, "make him a cat-loving accountant").ignored;
        assert!(ignored.contains(&"accountant".to_owned()), "{ignored:?}");
    }

    #[test]
    fn edits_follow_one_another() {
        let mut now = person("a young man with short brown hair");
        let first = now.clone();
        let steps = [
            ("make him older", "age", "middle"),
            ("give him a red beard", "beard", "full"),
            ("add round glasses", "glasses", "round"),
            ("make his nose bigger", "nose", "big"),
            ("put on a blue cap", "hat", "cap"),
            ("take off the hat", "hat", "none"),
            ("shave his head", "hair", "bald"),
            ("make his skin green", "skin", "green"),
            ("look angry", "expression", "angry"),
            ("remove the glasses", "glasses", "none"),
        ];
        for (instruction, name, value) in steps {
            let after = edit(&now, instruction);
            let wanted = format!("{name}: {value}");
            assert!(changes(&after).contains(&wanted), "{instruction}: {:?}", after.changed);
            now = after.sample;
        }
        let attributes = now.look.attributes();
        for (name, value) in [
            ("age", "middle"),
            ("beard", "full"),
            ("beard_color", "red"),
            ("glasses", "none"),
            ("nose", "big"),
            ("hat", "none"),
            ("hair", "bald"),
            ("skin", "green"),
            ("expression", "angry"),
        ] {
            assert_eq!(attributes[name], value, "{name}");
        }
        assert_eq!(now.seed, first.seed);
        assert_eq!(now.params.muscle, first.params.muscle);
    }

    /// The forty edits of the evaluation, about people as their prompts make them.
    #[test]
    fn the_edits_of_the_evaluation_are_understood() {
        #[derive(serde::Deserialize)]
        struct Case {
            prompt: String,
            instruction: String,
            attribute: String,
            values: Vec<Value>,
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/eval/edits.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        let cases: Vec<Case> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(cases.len(), 40);
        let reader = reader().unwrap();
        let mut people = std::collections::BTreeMap::new();
        let mut missed = Vec::new();
        for case in &cases {
            let before = people.entry(&case.prompt).or_insert_with(|| person(&case.prompt));
            let after = edited(&reader, before, SEED, &case.instruction).unwrap();
            if !case.values.contains(&after.sample.look.attributes()[&case.attribute]) {
                missed.push(format!("{}: {:?}", case.instruction, after.changed));
            }
        }
        assert!(missed.len() <= 2, "{missed:#?}");
    }

    /// Sentences that the grammar of the training data does not make.
    #[test]
    fn free_wordings_are_understood() {
        let man = person("a young man with short brown hair");
        let woman = person("a young woman with long blond hair");
        let cases = [
            (&man, "Could you please give this guy some nice round glasses?", "glasses: round"),
            (&man, "I'd like him to have a moustache", "beard: moustache"),
            (&man, "put him in a black fedora", "hat: fedora"),
            (&man, "make him look like an angry clown", "face_paint: clown"),
            (&man, "the ears are too small", "ears: big"),
            (&man, "make the eyes look bigger and the lips fuller", "lips: full"),
            (&man, "his hair: gray!", "hair_color: grey"),
            (&man, "as a marble bust", "material: marble"),
            (&woman, "Change hair colour to pink", "hair_color: pink"),
            (&woman, "purple hair!", "hair_color: purple"),
            (&woman, "long curly red hair", "hair: curly"),
            (&woman, "cut it short", "hair: short"),
            (&woman, "make her a redhead", "hair_color: red"),
            (&woman, "give her blue hair and a crown", "hat: crown"),
            (&woman, "make her a statue of gold", "material: gold"),
            (&woman, "paint her lips red", "red_lips: true"),
        ];
        let missed: Vec<_> = cases
            .iter()
            .map(|(before, instruction, wanted)| (edit(before, instruction), instruction, wanted))
            .filter(|(after, _, wanted)| !changes(after).iter().any(|change| change == *wanted))
            .map(|(after, instruction, _)| (*instruction, after.changed))
            .collect();
        assert!(missed.len() <= 2, "{missed:#?}");
    }
}

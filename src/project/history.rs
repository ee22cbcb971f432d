//! The versions of an avatar, as a tree: what undo, redo and branches move in.

use super::{Entry, Operation};
use crate::pipeline::EditRegion;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a version, characters.
pub const LONGEST_NAME: usize = 64;

/// What made a version.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A sentence.
    Generate {
        /// It.
        prompt: String,
        /// Decides the random numbers.
        seed: u64,
        /// The preset.
        preset: String,
    },
    /// An instruction.
    Edit {
        /// It.
        instruction: String,
        /// Where it was kept to.
        region: EditRegion,
        /// How far it was followed, `(0, 1]`.
        strength: f64,
    },
}

impl Origin {
    /// The sentence or instruction.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Generate { prompt, .. } => prompt,
            Self::Edit { instruction, .. } => instruction,
        }
    }
}

/// One state of the avatar.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Id of the log's entry that made it.
    pub id: u64,
    /// The version that it was made from; `None` for a generation.
    pub parent: Option<u64>,
    /// Edits since the generation.
    pub depth: u64,
    /// What made it.
    pub origin: Origin,
    /// What somebody called it.
    pub name: Option<String>,
    /// Whether it can be shown and edited: an edit always, a generation when it has ended.
    pub is_finished: bool,
    /// Whether its files were removed to save space.
    pub is_pruned: bool,
    /// When it was made, seconds since 1970, if that is known.
    pub at: Option<u64>,
    /// Step of its checkpoint in the stage `edit`; 0 for a generation.
    pub edit_number: u64,
}

/// All versions of a project, and the one that is current.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    versions: Vec<Version>,
    current: u64,
    /// The versions in the order in which they became current.
    trail: Vec<u64>,
}

impl History {
    /// Reads a log.
    ///
    /// # Errors
    /// The id of the entry that makes no sense, and why.
    pub(super) fn of(entries: &[Entry]) -> Result<Self, (u64, String)> {
        let mut history = Self { versions: Vec::new(), current: 0, trail: Vec::new() };
        for entry in entries {
            history.push(entry).map_err(|what| (entry.id, what))?;
        }
        Ok(history)
    }

    /// Takes in the log's next entry.
    pub(super) fn push(&mut self, entry: &Entry) -> Result<(), String> {
        if self.versions.is_empty() && !matches!(entry.operation, Operation::Generate { .. }) {
            return Err("there is no 'generate' operation before it".into());
        }
        if entry.schema >= 2 && entry.parent != self.versions.last().map(|_| self.current) {
            return Err(format!("it says that it builds on {:?}", entry.parent));
        }
        match &entry.operation {
            Operation::Generate { config, .. } => {
                let origin = Origin::Generate {
                    prompt: config.prompt.clone(),
                    seed: config.seed,
                    preset: config.preset.clone(),
                };
                self.begin(entry, None, 0, origin);
            }
            Operation::Edit { instruction, region, strength, .. } => {
                let before = self.current();
                if !before.is_finished {
                    return Err(format!("version {} was not finished", before.id));
                }
                let origin = Origin::Edit {
                    instruction: instruction.clone(),
                    region: *region,
                    strength: *strength,
                };
                let (parent, depth) = (Some(before.id), before.depth + 1);
                self.begin(entry, parent, depth, origin);
            }
            Operation::Resume { .. } => {}
            Operation::Steer { change, .. } => change.validate()?,
            Operation::Finish { .. } => {
                let current = self.current;
                self.change(current, |version| version.is_finished = true)?;
            }
            Operation::Select { version } => {
                self.change(*version, |_| {})?;
                self.current = *version;
                self.trail.push(*version);
            }
            Operation::Name { version, name } => {
                if name.chars().count() > LONGEST_NAME {
                    return Err(format!("a name has at most {LONGEST_NAME} characters"));
                }
                let name = Some(name.clone()).filter(|name| !name.is_empty());
                self.change(*version, |version| version.name = name)?;
            }
            Operation::Prune { versions } => {
                for version in versions {
                    self.change(*version, |version| version.is_pruned = true)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, entry: &Entry, parent: Option<u64>, depth: u64, origin: Origin) {
        let is_edit = parent.is_some();
        self.versions.push(Version {
            id: entry.id,
            parent,
            depth,
            origin,
            name: None,
            is_finished: is_edit,
            is_pruned: false,
            at: entry.at,
            edit_number: match parent {
                None => 0,
                // Without branches they could be counted.
                Some(_) if entry.schema < 2 => depth,
                Some(_) => entry.id,
            },
        });
        self.current = entry.id;
        self.trail.push(entry.id);
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut Version)) -> Result<(), String> {
        let index = self.index(id).ok_or_else(|| format!("there is no version {id}"))?;
        change(&mut self.versions[index]);
        Ok(())
    }

    /// Where a version stands in the list, which ascends by id.
    fn index(&self, id: u64) -> Option<usize> {
        self.versions.binary_search_by_key(&id, |version| version.id).ok()
    }

    /// All versions, oldest first; a version comes after the one that it was made from.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The version that is shown, edited and exported.
    ///
    /// # Panics
    /// Never: a log without a version is refused.
    #[must_use]
    pub fn current(&self) -> &Version {
        self.get(self.current).unwrap_or_else(|| unreachable!("a log begins with a version"))
    }

    /// A version by the id of its operation.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Version> {
        self.index(id).map(|index| &self.versions[index])
    }

    /// A version by its id or its name; of several of one name the newest.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<&Version> {
        let named = |version: &&Version| version.name.as_deref() == Some(id_or_name);
        let by_name = || self.versions.iter().rev().find(named);
        id_or_name.parse().ok().and_then(|id| self.get(id)).or_else(by_name)
    }

    /// All versions in the order of the tree, each with its depth of branches: an only child
    /// stands below its parent, several stand in.
    #[must_use]
    pub fn tree(&self) -> Vec<(&Version, usize)> {
        let mut children: BTreeMap<Option<u64>, Vec<&Version>> = BTreeMap::new();
        for version in &self.versions {
            children.entry(version.parent).or_default().push(version);
        }
        let of = |parent| children.get(&parent).map_or(&[][..], Vec::as_slice);
        let mut open: Vec<(&Version, usize)> = of(None).iter().rev().map(|v| (*v, 0)).collect();
        let mut rows = Vec::with_capacity(self.versions.len());
        while let Some((version, depth)) = open.pop() {
            rows.push((version, depth));
            let children = of(Some(version.id));
            let inner = depth + usize::from(children.len() > 1);
            open.extend(children.iter().rev().map(|child| (*child, inner)));
        }
        rows
    }

    /// What undo goes back to: the version that the current one was made from.
    #[must_use]
    pub fn undo_target(&self) -> Option<&Version> {
        self.get(self.current().parent?)
    }

    /// What redo goes forward to: of the versions that were made from the current one, the one
    /// that was current last.
    #[must_use]
    pub fn redo_target(&self) -> Option<&Version> {
        let is_child = |id: &&u64| self.get(**id).is_some_and(|v| v.parent == Some(self.current));
        self.trail.iter().rev().find(is_child).and_then(|id| self.get(*id))
    }

    /// The versions that pruning removes: those that neither lead to the current one nor have a
    /// name.
    pub fn idle(&self) -> impl Iterator<Item = &Version> {
        let path: BTreeSet<u64> = self.path_to(self.current).into_iter().map(|v| v.id).collect();
        let is_idle = move |v: &&Version| !v.is_pruned && v.name.is_none() && !path.contains(&v.id);
        self.versions.iter().filter(is_idle)
    }

    /// The versions from a generation to this one.
    #[must_use]
    pub fn path_to(&self, id: u64) -> Vec<&Version> {
        let mut path: Vec<&Version> =
            std::iter::successors(self.get(id), |version| self.get(version.parent?)).collect();
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GenerationConfig;

    fn generate() -> Operation {
        let config = GenerationConfig {
            prompt: "a man".into(),
            ..GenerationConfig::preset("quick").unwrap()
        };
        Operation::Generate { config: Box::new(config), version: "0".into(), device: "t".into() }
    }

    fn edit(instruction: &str) -> Operation {
        Operation::Edit {
            instruction: instruction.into(),
            region: EditRegion::All,
            strength: 1.0,
            steps: 1,
            seed: 0,
            changed: BTreeMap::new(),
        }
    }

    const FINISH: Operation = Operation::Finish { vertices: 3, triangles: 1 };

    fn select(version: u64) -> Operation {
        Operation::Select { version }
    }

    /// The log of some operations, each on the version that is current.
    fn log(schema: u32, operations: impl IntoIterator<Item = Operation>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for operation in operations {
            let id = entries.len() as u64 + 1;
            let parent = if schema < 2 {
                (id > 1).then(|| id - 1)
            } else {
                History::of(&entries)
                    .unwrap()
                    .versions
                    .last()
                    .map(|_| History::of(&entries).unwrap().current)
            };
            entries.push(Entry { schema, id, parent, at: None, operation });
        }
        entries
    }

    #[test]
    fn undo_and_redo_move_and_an_edit_branches() {
        let mut operations = vec![generate(), FINISH, edit("a"), edit("b")];
        let at = |operations: &[Operation]| History::of(&log(2, operations.to_vec())).unwrap();
        assert_eq!(at(&operations).current().id, 4);
        assert!(at(&operations).redo_target().is_none());
        operations.push(select(3));
        let history = at(&operations);
        assert_eq!(history.undo_target().unwrap().id, 1);
        assert_eq!(history.redo_target().unwrap().id, 4);
        operations.push(edit("c"));
        let history = at(&operations);
        assert_eq!((history.current().id, history.current().parent), (6, Some(3)));
        let tree: Vec<_> = history.tree().iter().map(|(v, depth)| (v.id, *depth)).collect();
        assert_eq!(tree, [(1, 0), (3, 0), (4, 1), (6, 1)]);
        let path: Vec<_> = history.path_to(6).iter().map(|v| v.origin.text()).collect();
        assert_eq!(path, ["a man", "a", "c"]);
        // Redo takes the branch that was left last.
        operations.push(select(3));
        assert_eq!(at(&operations).redo_target().unwrap().id, 6);
        operations.extend([select(4), select(3)]);
        assert_eq!(at(&operations).redo_target().unwrap().id, 4);
        operations.extend([select(1)]);
        assert!(at(&operations).undo_target().is_none());
        assert_eq!(at(&operations).redo_target().unwrap().id, 3);
    }

    #[test]
    fn versions_are_found_by_id_and_by_name() {
        let name = |version, name: &str| Operation::Name { version, name: name.into() };
        let operations =
            [generate(), FINISH, edit("a"), name(1, "x"), name(3, "y"), name(1, "7"), name(3, "")];
        let history = History::of(&log(2, operations)).unwrap();
        assert_eq!(history.find("3").unwrap().id, 3);
        assert_eq!(history.find("7").unwrap().id, 1);
        assert!(history.find("x").is_none() && history.find("y").is_none());
        assert!(history.find("2").is_none(), "an entry that made no version");
    }

    #[test]
    fn logs_of_schema_1_are_a_line() {
        let operations = [generate(), FINISH, edit("a"), FINISH, edit("b"), FINISH];
        let mut entries = log(1, operations);
        let history = History::of(&entries).unwrap();
        let numbers: Vec<_> =
            history.versions().iter().map(|v| (v.id, v.parent, v.edit_number)).collect();
        assert_eq!(numbers, [(1, None, 0), (3, Some(1), 1), (5, Some(3), 2)]);
        // What is appended today has a checkpoint of another number.
        let next = edit("c");
        entries.push(Entry { schema: 2, id: 7, parent: Some(5), at: Some(1), operation: next });
        let history = History::of(&entries).unwrap();
        assert_eq!((history.current().edit_number, history.current().depth), (7, 3));
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        let name = Operation::Name { version: 1, name: "x".repeat(LONGEST_NAME + 1) };
        let cases: [(u64, Vec<Operation>); 6] = [
            (1, vec![edit("a")]),
            (2, vec![generate(), edit("a")]),
            (3, vec![generate(), FINISH, select(2)]),
            (2, vec![generate(), select(99)]),
            (2, vec![generate(), name]),
            (2, vec![generate(), Operation::Prune { versions: vec![5] }]),
        ];
        for (line, operations) in cases {
            let entries: Vec<Entry> = (1..)
                .zip(operations)
                .map(|(id, operation)| {
                    let parent = (id > 1).then_some(1);
                    Entry { schema: 2, id, parent, at: None, operation }
                })
                .collect();
            assert_eq!(History::of(&entries).unwrap_err().0, line, "{entries:?}");
        }
        let mut entries = log(2, [generate(), FINISH, edit("a"), select(1)]);
        entries[2].parent = Some(2);
        assert_eq!(History::of(&entries).unwrap_err().0, 3);
    }
}

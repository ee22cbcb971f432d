//! Changes of a generation while it runs: asked for, noted in the log, taken again after a
//! resume.

use super::{Event, JobContext, SessionError};
use crate::guidance::Steering;
use crate::pipeline::Stage;
use crate::project::{Operation, Project};
use std::collections::VecDeque;

/// The changes of one generation.
#[derive(Debug, Default)]
pub(super) struct Steered {
    /// What earlier runs noted, with the stage and its steps done, in the order of the log.
    noted: VecDeque<(String, u64, Steering)>,
    /// What is in force.
    taken: Vec<Steering>,
}

impl Steered {
    /// What the log of a project says.
    pub fn of(project: &Project) -> Self {
        let noted = project.steerings().map(|(s, step, c)| (s.to_owned(), step, c.clone()));
        Self { noted: noted.collect(), taken: Vec::new() }
    }

    /// Makes a stage that begins, or goes on from a checkpoint, as the changes so far left the
    /// one before. `stages` are the names of all stages in their order.
    pub fn enter<S: Stage>(&mut self, stage: &mut S, stages: &[&str]) -> Result<(), SessionError> {
        let order = |name: &str| stages.iter().position(|known| *known == name);
        let (now, done) = (order(S::NAME), stage.done());
        let is_past =
            |(name, step, _): &(String, u64, Steering)| (order(name), *step) < (now, done);
        let (past, due) = self.noted.drain(..).partition(is_past);
        self.noted = due;
        let past: VecDeque<(String, u64, Steering)> = past;
        self.taken.extend(past.into_iter().map(|(_, _, change)| change));
        for change in &self.taken {
            stage.steer(change)?;
        }
        Ok(())
    }

    /// Takes the changes that are due before the stage's next step.
    pub fn take<S: Stage>(
        &mut self,
        stage: &mut S,
        asked: Vec<Steering>,
        project: &mut Project,
        context: &JobContext,
    ) -> Result<(), SessionError> {
        let is_due =
            |(name, step, _): &(String, u64, Steering)| name == S::NAME && *step == stage.done();
        let (due, later) = self.noted.drain(..).partition(is_due);
        self.noted = later;
        let due: VecDeque<(String, u64, Steering)> = due;
        for (_, _, change) in due {
            stage.steer(&change)?;
            self.taken.push(change);
        }
        for change in asked {
            if let Err(what) = change.validate() {
                context.events.warn(what);
                continue;
            }
            stage.steer(&change)?;
            let (name, step) = (S::NAME.to_owned(), stage.done());
            let operation = Operation::Steer { stage: name, step, change: change.clone() };
            project.append(operation).map_err(SessionError::Storage)?;
            context.events.send(Event::Steered(change.clone()));
            self.taken.push(change);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ImageBatch;
    use crate::config::GenerationConfig;
    use crate::pipeline::extract::MeshConfig;
    use crate::pipeline::state::Arrays;
    use crate::pipeline::{Avatar, Progress, StageError};
    use crate::session::event::EventSender;
    use crate::session::{CancelToken, Latest};

    /// Remembers what it was told, and when.
    #[derive(Default)]
    struct Told {
        done: u64,
        changes: Vec<(u64, Steering)>,
    }

    impl Stage for Told {
        const NAME: &'static str = "fine";

        fn done(&self) -> u64 {
            self.done
        }

        fn step(&mut self) -> Result<Progress, StageError> {
            self.done += 1;
            Ok(Progress {
                done: self.done,
                loss: 0.0,
                gradient_norm: 0.0,
                timestep: 0,
                evaluations: 0,
            })
        }

        fn snapshot(&mut self) -> Result<ImageBatch, StageError> {
            unreachable!("nobody watches")
        }

        fn steer(&mut self, change: &Steering) -> Result<(), StageError> {
            self.changes.push((self.done, change.clone()));
            Ok(())
        }

        fn save(&mut self) -> Result<Arrays, StageError> {
            Ok(Arrays::default())
        }

        fn finish(&mut self, _: &MeshConfig) -> Result<Avatar, StageError> {
            unreachable!("it never ends")
        }
    }

    fn context() -> JobContext {
        let (sender, _) = std::sync::mpsc::sync_channel(16);
        JobContext {
            events: EventSender::new(sender, None),
            snapshots: Latest::default(),
            is_watched: false,
            cancel: CancelToken::default(),
            commands: std::sync::mpsc::channel().1,
        }
    }

    const STAGES: [&str; 2] = ["coarse", "fine"];

    /// Steps of a run from `done` to 5 with changes asked for at some of them; what it was told.
    fn run(project: &mut Project, done: u64, asked: &[(u64, Steering)]) -> Vec<(u64, Steering)> {
        let mut steered = Steered::of(project);
        let mut stage = Told { done, ..Told::default() };
        steered.enter(&mut stage, &STAGES).unwrap();
        while stage.done < 5 {
            let now = asked.iter().filter(|(step, _)| *step == stage.done);
            let now = now.map(|(_, change)| change.clone()).collect();
            steered.take(&mut stage, now, project, &context()).unwrap();
            stage.step().unwrap();
        }
        stage.changes
    }

    #[test]
    fn a_resumed_run_takes_the_changes_again_at_their_steps() {
        let dir = tempfile::tempdir().unwrap();
        let config = Box::new(GenerationConfig::preset("quick").unwrap());
        let (version, device) = ("0".into(), "test".into());
        let first = Operation::Generate { config, version, device };
        let mut project = Project::create(dir.path(), first).unwrap();
        let asked = [
            (1, Steering::Rates { factor: 0.5 }),
            (1, Steering::GuidanceScale { scale: 3.0 }),
            (3, Steering::Rates { factor: 2.0 }),
            (4, Steering::Rates { factor: -1.0 }),
        ];
        let told = run(&mut project, 0, &asked);
        assert_eq!(told, asked[..3], "what is out of range is not taken");
        drop(project);
        let mut project = Project::open(dir.path()).unwrap();
        assert_eq!(project.steerings().count(), 3);
        // From the beginning, from between the changes, and from the step of one.
        assert_eq!(run(&mut project, 0, &[]), asked[..3]);
        let rest = [(2, asked[0].1.clone()), (2, asked[1].1.clone()), asked[2].clone()];
        assert_eq!(run(&mut project, 2, &[]), rest);
        let rest = [(3, asked[0].1.clone()), (3, asked[1].1.clone()), asked[2].clone()];
        assert_eq!(run(&mut project, 3, &[]), rest);
        assert_eq!(project.steerings().count(), 3, "nothing is noted twice");
    }
}

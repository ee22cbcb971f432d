//! `report.json`: what was made, on what, and how long it took.

use crate::config::GenerationConfig;
use crate::geometry::TexturedMesh;
use crate::render::GpuContext;
use serde::Serialize;
use std::time::Duration;

/// Version of the file's layout.
const SCHEMA: u32 = 1;
/// Steps that the ETA looks back on.
const RECENT: usize = 20;

/// Durations of the steps of one stage.
#[derive(Debug, Clone)]
pub(super) struct StageTiming {
    name: &'static str,
    steps: Vec<Duration>,
}

impl StageTiming {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, steps: Vec::new() }
    }

    pub(super) fn push(&mut self, step: Duration) {
        self.steps.push(step);
    }

    /// Median seconds of the latest steps.
    pub(super) fn recent_median(&self) -> Option<f64> {
        median(&self.steps[self.steps.len().saturating_sub(RECENT)..])
    }
}

fn median(durations: &[Duration]) -> Option<f64> {
    let mut sorted = durations.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).map(Duration::as_secs_f64)
}

/// One stage of the report.
#[derive(Debug, Clone, Serialize)]
struct StageReport {
    name: &'static str,
    /// Steps of this process (a resumed run counts its own).
    steps: usize,
    seconds: f64,
    ms_per_step_median: Option<f64>,
    /// Field evaluations (samples of forward passes) a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    field_evaluations_per_second: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct MeshReport {
    vertices: usize,
    triangles: usize,
}

/// The contents of `report.json`.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    schema: u32,
    prompt: String,
    /// What the prompt was completed to, and guided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_prompt: Option<String>,
    negative: String,
    seed: u64,
    preset: String,
    model: String,
    version: &'static str,
    device: String,
    backend: String,
    stages: Vec<StageReport>,
    total_seconds: f64,
    peak_rss_mb: Option<f64>,
    mesh: MeshReport,
    warnings: Vec<String>,
}

impl Report {
    pub(super) fn new(
        config: &GenerationConfig,
        completed_prompt: Option<String>,
        gpu: &GpuContext,
    ) -> Self {
        Self {
            schema: SCHEMA,
            prompt: config.prompt.clone(),
            completed_prompt,
            negative: config.negative.clone(),
            seed: config.seed,
            preset: config.preset.clone(),
            model: config.model.clone(),
            version: env!("CARGO_PKG_VERSION"),
            device: gpu.describe(),
            backend: gpu.backend(),
            stages: Vec::new(),
            total_seconds: 0.0,
            peak_rss_mb: None,
            mesh: MeshReport::default(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn push_stage(&mut self, timing: &StageTiming, evaluations: Option<u64>) {
        let seconds = timing.steps.iter().map(Duration::as_secs_f64).sum::<f64>();
        self.stages.push(StageReport {
            name: timing.name,
            steps: timing.steps.len(),
            seconds,
            ms_per_step_median: median(&timing.steps).map(|s| s * 1e3),
            field_evaluations_per_second: evaluations
                .filter(|_| seconds > 0.0)
                .map(|count| count as f64 / seconds),
        });
    }

    pub(super) fn finish(&mut self, avatar: &TexturedMesh, total: Duration, warnings: Vec<String>) {
        self.mesh = MeshReport {
            vertices: avatar.mesh.positions.len(),
            triangles: avatar.mesh.triangles.len(),
        };
        self.total_seconds = total.as_secs_f64();
        self.peak_rss_mb = peak_rss_mb();
        self.warnings = warnings;
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        // Plain numbers and strings always serialise.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

/// The process's largest resident set so far, MB; known on Linux only.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_rates_come_from_the_steps() {
        let mut timing = StageTiming::new("coarse");
        assert_eq!(timing.recent_median(), None);
        for ms in [10, 30, 20] {
            timing.push(Duration::from_millis(ms));
        }
        assert_eq!(timing.recent_median(), Some(0.02));
        for _ in 0..RECENT {
            timing.push(Duration::from_millis(5));
        }
        assert_eq!(timing.recent_median(), Some(0.005));
    }
}

//! The live view, and what it costs the optimiser when both share the machine.

use super::Bench;
use crate::app::viewport::{OrbitCamera, Slot, ViewSettings, ViewportRenderer, pace};
use crate::geometry::TexturedMesh;
use crate::pipeline::{Stage, instant};
use crate::render::GpuContext;
use crate::render::studio::{Split, StudioSample};
use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A view as large as a window of 1280 x 800 leaves it.
const SIZE: [u32; 2] = [710, 735];
/// Frames that a screen shows at most.
const FRAME: Duration = Duration::from_micros(16_667);

/// Times frames of the view, and steps of `stage` beside them.
pub(super) fn measure<S: Stage>(bench: &mut Bench, stage: &mut S) -> Result<()> {
    if !bench.wants("ui") {
        return Ok(());
    }
    let person = StudioSample::draw(0, Split::Train, 0);
    let head = Arc::new(instant::build(&person, 1024)?.shown());
    let mut view = View::new(&head)?;
    bench.time("ui frame", None, || view.frame(false))?;
    bench.time("ui frame while orbiting", None, || view.frame(true))?;
    bench.time("ui snapshot for the view", None, || {
        stage.snapshot()?;
        stage.surface()?;
        Ok(())
    })?;
    bench.time("ui step without a window", None, || {
        stage.step()?;
        Ok(())
    })?;
    let pace = pace(view.gpu.info.device_type).max(FRAME);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let orbiting = scope.spawn(|| -> Result<()> {
            while !stop.load(Ordering::Relaxed) {
                let started = Instant::now();
                view.frame(true)?;
                std::thread::sleep(pace.saturating_sub(started.elapsed()));
            }
            Ok(())
        });
        let timed = bench.time("ui step while orbiting", None, || {
            stage.step()?;
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        let drawn = orbiting.join().unwrap_or_else(|_| anyhow::bail!("the view panicked"));
        timed.and(drawn)
    })
}

/// The live view on a device of its own, as in the window.
struct View {
    gpu: GpuContext,
    renderer: ViewportRenderer,
    camera: OrbitCamera,
    settings: ViewSettings,
}

impl View {
    fn new(head: &Arc<TexturedMesh>) -> Result<Self> {
        let gpu = GpuContext::new()?;
        let mut renderer = ViewportRenderer::new(&gpu.device, &gpu.queue)?;
        renderer.set_mesh(Slot::After, Some(head))?;
        let (camera, settings) = (OrbitCamera::default(), ViewSettings::default());
        Ok(Self { gpu, renderer, camera, settings })
    }

    fn frame(&mut self, moving: bool) -> Result<()> {
        self.camera.turn(3.0, 0.0);
        self.renderer.set_moving(moving);
        self.renderer.render(&self.camera, &self.settings, SIZE)?;
        Ok(self.gpu.wait()?)
    }
}

//! `headsculpt render`: pictures of a finished avatar.

use super::{Failure, Output};
use crate::batch::{ControlKind, View};
use crate::geometry::MorphMesh;
use crate::io::image;
use crate::project::Project;
use crate::render::control::ControlRenderer;
use crate::render::mesh::{MeshRenderer, RenderKind, orbit_view};
use crate::render::{GpuContext, RenderError};
use crate::session::prior;
use serde_json::json;
use std::path::PathBuf;

/// Elevation of the ring of views, degrees.
const RING_ELEVATION: f32 = 5.0;
/// Samples along a pixel's side.
const SAMPLES: u32 = 3;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// Under three studio lights
    Shaded,
    /// The texture without any light
    Albedo,
    /// Camera-space normals: 0.5 + 0.5 n
    Normal,
    /// Nearer is brighter
    Depth,
    /// White on the head
    Mask,
    /// The landmark control image of the head prior that the avatar was made on
    Landmarks,
}

impl Kind {
    /// How the mesh renderer draws it. Landmarks are no picture of the mesh, but of the prior
    /// below it.
    fn of_mesh(self) -> RenderKind {
        match self {
            Self::Shaded | Self::Landmarks => RenderKind::Shaded,
            Self::Albedo => RenderKind::Albedo,
            Self::Normal => RenderKind::Normal,
            Self::Depth => RenderKind::Depth,
            Self::Mask => RenderKind::Mask,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The project, or the output folder that holds it
    project: PathBuf,
    /// Folder for the pictures
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Views on a circle at elevation 5, starting at the face
    #[arg(long, value_name = "N", default_value_t = 8, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=999))]
    views: u32,
    /// One view from this azimuth (degrees; 0 looks at the face, 90 sees the subject's
    /// left side) instead of a circle
    #[arg(long, value_name = "DEG", conflicts_with = "views", allow_negative_numbers = true)]
    azimuth: Option<f32>,
    /// Elevation of the one view, degrees
    #[arg(long, value_name = "DEG", requires = "azimuth", allow_negative_numbers = true)]
    elevation: Option<f32>,
    /// Height and width, pixels
    #[arg(long, value_name = "PX", default_value_t = 512, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(16..=4096))]
    size: u32,
    /// What to draw
    #[arg(long, value_enum, default_value_t = Kind::Shaded)]
    kind: Kind,
    /// An expression in place of the avatar's own: morph targets by name with weights within
    /// 0..1, as jawOpen=0.7,eyeBlinkLeft=1
    #[arg(long, value_name = "NAME=V,..")]
    expression: Option<String>,
}

/// The weights of an avatar's morph targets that an expression in words means.
fn weights(expression: &str, avatar: &MorphMesh) -> Result<Vec<f32>, Failure> {
    let fail = |what: String| Failure::Input(format!("--expression: {what}"));
    if avatar.targets.is_empty() {
        return Err(fail("this avatar has no morph targets: its face does not move".into()));
    }
    let mut weights = vec![0.0; avatar.targets.len()];
    for part in expression.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(fail(format!("'{part}' is not NAME=V")));
        };
        let target = avatar.targets.iter().position(|target| target.name == name.trim());
        let Some(target) = target else {
            let known: Vec<&str> = avatar.targets.iter().map(|t| t.name.as_str()).collect();
            let known = known.join(", ");
            return Err(fail(format!("there is no morph target '{name}'; there are {known}")));
        };
        let weight: Option<f32> = value.trim().parse().ok();
        weights[target] =
            weight.filter(|weight| (0.0..=1.0).contains(weight)).ok_or_else(|| {
                fail(format!("the weight '{value}' of {name} is not a number within 0..1"))
            })?;
    }
    Ok(weights)
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let cameras = self.cameras()?;
        let project = Project::open_read_only(&self.project).map_err(Failure::input)?;
        let avatar = project.load_avatar().map_err(Failure::input)?.ok_or_else(|| {
            let folder = project.output().display();
            Failure::Input(format!(
                "{folder} is not finished; continue it with: headsculpt generate --resume '{folder}'"
            ))
        })?;
        let shown = match &self.expression {
            Some(expression) => avatar.posed(&weights(expression, &avatar)?),
            None => avatar.shown(),
        };
        let prior = match self.kind {
            Kind::Landmarks => {
                let config = project.generation().map_err(Failure::input)?;
                Some(prior::prior(config).map_err(Failure::input)?)
            }
            _ => None,
        };
        let gpu = GpuContext::new().map_err(Failure::input)?;
        std::fs::create_dir_all(&self.output)
            .map_err(|error| Failure::Input(format!("-o {}: {error}", self.output.display())))?;
        let views: Vec<View> = cameras.iter().map(|&(a, e)| orbit_view(a, e, self.size)).collect();
        let draw = || -> Result<_, RenderError> {
            if let Some(head) = &prior {
                let mut renderer = ControlRenderer::new(&gpu)?;
                return renderer.render(ControlKind::Landmarks, head, &views);
            }
            let renderer = MeshRenderer::new(&gpu)?;
            let mesh = renderer.upload(&shown)?;
            renderer.render(&mesh, &views, self.kind.of_mesh(), SAMPLES)
        };
        let pictures = image::pictures(&draw().map_err(|error| Failure::Broken(error.into()))?);
        for (i, picture) in pictures.iter().enumerate() {
            let path = self.output.join(format!("view_{i:03}.png"));
            image::write_image(&path, picture).map_err(Failure::input)?;
            let (azimuth, elevation) = cameras[i];
            output.result(
                &path.display().to_string(),
                &json!({"view": path, "azimuth": azimuth, "elevation": elevation}),
            );
        }
        Ok(())
    }

    /// Azimuth and elevation of each picture, degrees.
    fn cameras(&self) -> Result<Vec<(f32, f32)>, Failure> {
        let Some(azimuth) = self.azimuth else {
            let step = 360.0 / self.views as f32;
            return Ok((0..self.views).map(|i| (i as f32 * step, RING_ELEVATION)).collect());
        };
        let elevation = self.elevation.unwrap_or(RING_ELEVATION);
        if !azimuth.is_finite() {
            return Err(Failure::Input(format!("--azimuth: {azimuth} is not a number")));
        }
        if !(-85.0..=85.0).contains(&elevation) {
            return Err(Failure::Input(format!("--elevation: {elevation} is not within -85..85")));
        }
        Ok(vec![(azimuth, elevation)])
    }
}

//! What the live view draws into.

/// Of the depth buffer.
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// How good the pictures are, which depends on what the device can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quality {
    /// Samples a pixel.
    pub samples: u32,
    /// Whether samples are averaged as linear light, in an sRGB target; otherwise the shader
    /// encodes and encoded values are averaged.
    pub linear: bool,
}

impl Quality {
    /// From the best to what every device can do.
    pub const ATTEMPTS: [Self; 4] = [
        Self { samples: 4, linear: true },
        Self { samples: 4, linear: false },
        Self { samples: 1, linear: true },
        Self { samples: 1, linear: false },
    ];

    /// Of the colour target.
    pub fn format(self) -> wgpu::TextureFormat {
        let plain = wgpu::TextureFormat::Rgba8Unorm;
        if self.linear { plain.add_srgb_suffix() } else { plain }
    }
}

/// The textures of one picture size.
#[derive(Debug)]
pub(super) struct Targets {
    pub size: [u32; 2],
    pub quality: Quality,
    /// The finished picture.
    pub picture: wgpu::Texture,
    /// The picture as what is drawn into.
    pub attachment: wgpu::TextureView,
    /// The picture as encoded values, which is how egui reads it.
    pub encoded: wgpu::TextureView,
    /// More samples than one a pixel.
    pub samples: Option<wgpu::TextureView>,
    pub depth: wgpu::TextureView,
}

impl Targets {
    pub fn new(device: &wgpu::Device, quality: Quality, size: [u32; 2]) -> Self {
        let format = quality.format();
        let encoded = format.remove_srgb_suffix();
        let attached = wgpu::TextureUsages::RENDER_ATTACHMENT;
        let texture = |label, format, sample_count, usage, view_formats: &[_]| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage,
                view_formats,
            })
        };
        let shown = attached | wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC;
        let others = if quality.linear { &[encoded][..] } else { &[] };
        let picture = texture("view picture", format, 1, shown, others);
        let samples = (quality.samples > 1).then(|| {
            texture("view samples", format, quality.samples, attached, &[])
                .create_view(&Default::default())
        });
        let depth = texture("view depth", DEPTH, quality.samples, attached, &[]);
        let view = |format| {
            picture.create_view(&wgpu::TextureViewDescriptor {
                format: Some(format),
                // An sRGB texture can be drawn into and read; its other view is only read.
                usage: (format == encoded).then_some(wgpu::TextureUsages::TEXTURE_BINDING),
                ..Default::default()
            })
        };
        let attachment = picture.create_view(&Default::default());
        Self {
            size,
            quality,
            attachment,
            encoded: view(encoded),
            samples,
            depth: depth.create_view(&Default::default()),
            picture,
        }
    }
}

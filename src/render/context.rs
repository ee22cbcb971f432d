//! The wgpu device that all rendering shares.
//!
//! Devices are created with the portable limits that the project declares
//! (WebGPU's defaults: 8 storage buffers a stage, 128 MiB bindings, 16 KiB of
//! workgroup memory), never with what a driver happens to offer, so what runs on
//! one adapter runs on all.

use std::sync::{Arc, Mutex};

/// What can go wrong on the GPU side.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RenderError {
    /// No adapter at all; the text says what to install.
    #[error(
        "no Vulkan, Metal or DX12 adapter found: install a GPU driver, or a software one \
         (Debian: apt-get install mesa-vulkan-drivers libvulkan1)"
    )]
    NoAdapter,
    /// The adapter exists but refuses the limits that we declare.
    #[error("the adapter '{adapter}' cannot provide the device HeadSculpt needs: {reason}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// The device was lost (driver reset, unplugged, out of memory).
    #[error("the GPU device was lost: {0}")]
    DeviceLost(String),
    /// A validation or out-of-memory error, which is a bug or a lack of memory.
    #[error("GPU error: {0}")]
    Gpu(String),
    /// Numbers that stopped being finite or left the range of the integer accumulators.
    #[error("numerical failure in {place}: {what}")]
    Numerical {
        /// The kernel or buffer.
        place: &'static str,
        /// What was seen.
        what: String,
    },
    /// A training render needs more of the field than may be held at once.
    #[error(
        "{evaluations} field evaluations are needed at once and march.max_evaluations is {limit}: \
         lower --size, or raise march.step in the preset"
    )]
    TooLarge {
        /// Evaluations that it needs.
        evaluations: u64,
        /// The most that the settings allow.
        limit: u32,
    },
    /// The caller asked for something impossible.
    #[error("{0}")]
    Invalid(String),
}

/// A wgpu device, its queue and what it runs on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GpuContext {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// Name, driver and backend of the adapter.
    pub info: Arc<wgpu::AdapterInfo>,
    /// The first error that the driver reported outside an error scope, or the device's loss.
    failure: Arc<Mutex<Option<RenderError>>>,
}

impl GpuContext {
    /// Opens a device on the best adapter: a discrete or integrated GPU if there is
    /// one, else a software driver.
    ///
    /// # Errors
    /// [`RenderError::NoAdapter`] without any adapter, [`RenderError::NoDevice`] if
    /// the declared limits are refused.
    pub fn new() -> Result<Self, RenderError> {
        Self::open(wgpu::PowerPreference::HighPerformance)
    }

    fn open(power_preference: wgpu::PowerPreference) -> Result<Self, RenderError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::PRIMARY,
            ..wgpu::InstanceDescriptor::new_without_display_handle_from_env()
        });
        let options = wgpu::RequestAdapterOptions { power_preference, ..Default::default() };
        let adapter = pollster::block_on(instance.request_adapter(&options))
            .map_err(|_| RenderError::NoAdapter)?;
        let info = adapter.get_info();
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("headsculpt"),
            required_limits: wgpu::Limits::defaults(),
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
                RenderError::NoDevice { adapter: info.name.clone(), reason: error.to_string() }
            })?;
        let failure = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&failure);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let words: Vec<String> =
                error.to_string().split_whitespace().map(str::to_owned).collect();
            record(&slot, RenderError::Gpu(words.join(" ")));
        }));
        let slot = Arc::clone(&failure);
        device.set_device_lost_callback(move |reason, message| {
            let message = if message.is_empty() { format!("{reason:?}") } else { message };
            record(&slot, RenderError::DeviceLost(message));
        });
        Ok(Self { device, queue, info: Arc::new(info), failure })
    }

    /// Fails if the driver has reported an error since the device was opened.
    ///
    /// # Errors
    /// The first recorded [`RenderError`]; it stays recorded.
    pub fn check(&self) -> Result<(), RenderError> {
        let slot = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slot.clone().map_or(Ok(()), Err)
    }

    /// A line for reports: adapter, driver and backend.
    #[must_use]
    pub fn describe(&self) -> String {
        let info = &self.info;
        format!("{} ({} {})", info.name, info.driver, info.driver_info)
    }

    /// The backend's name: vulkan, metal, dx12.
    #[must_use]
    pub fn backend(&self) -> String {
        self.info.backend.to_string()
    }

    /// A storage buffer of `T`s with contents, readable back and writable.
    #[must_use]
    pub fn storage<T: bytemuck::Pod>(&self, label: &str, contents: &[T]) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        self.buffer(Some(label), bytemuck::cast_slice(contents), usage)
    }

    /// A buffer with contents, of their length rounded up to 4.
    ///
    /// `create_buffer_init` panics where a lost or full device gives no memory; here that is
    /// recorded, and found by whoever reads a result or [`Self::check`]s.
    #[must_use]
    pub fn buffer(
        &self,
        label: Option<&str>,
        contents: &[u8],
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        let size = (contents.len() as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
        let mapped_at_creation = size > 0;
        let descriptor = wgpu::BufferDescriptor { label, size, usage, mapped_at_creation };
        let buffer = self.device.create_buffer(&descriptor);
        if mapped_at_creation && let Ok(mut view) = buffer.get_mapped_range_mut(..) {
            view.slice(..contents.len()).copy_from_slice(contents);
            drop(view);
            buffer.unmap();
        }
        buffer
    }

    /// A zeroed storage buffer of `bytes` bytes (rounded up to 4).
    #[must_use]
    pub fn storage_zeroed(&self, label: &str, bytes: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(4).next_multiple_of(4),
            usage: wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// A uniform buffer holding one value, writable.
    #[must_use]
    pub fn uniform<T: bytemuck::Pod>(&self, label: &str, value: &T) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        self.buffer(Some(label), bytemuck::bytes_of(value), usage)
    }

    /// Copies a buffer's first `count` values back to the CPU, waiting for all
    /// submitted work.
    ///
    /// # Errors
    /// Device loss, or any error the driver reported before.
    pub fn read<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
        count: usize,
    ) -> Result<Vec<T>, RenderError> {
        let bytes = (count * size_of::<T>()) as u64;
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let padded = bytes.next_multiple_of(4);
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: padded,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, padded);
        self.queue.submit([encoder.finish()]);
        self.map(&staging, bytes)
    }

    /// Copies a texture's first mip and layer back to the CPU as tightly packed
    /// bytes, row-major.
    ///
    /// # Errors
    /// Device loss, or any error the driver reported before.
    pub fn read_texture(&self, texture: &wgpu::Texture) -> Result<Vec<u8>, RenderError> {
        let size = texture.size();
        let texel = texture.format().block_copy_size(None).unwrap_or(4);
        let row = size.width * texel;
        let padded_row = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let bytes = u64::from(padded_row) * u64::from(size.height);
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("texture readback"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &staging,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(padded_row),
                    rows_per_image: Some(size.height),
                },
            },
            wgpu::Extent3d { depth_or_array_layers: 1, ..size },
        );
        self.queue.submit([encoder.finish()]);
        let padded: Vec<u8> = self.map(&staging, bytes)?;
        Ok(padded
            .chunks_exact(padded_row as usize)
            .flat_map(|line| &line[..row as usize])
            .copied()
            .collect())
    }

    fn map<T: bytemuck::Pod>(
        &self,
        staging: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Vec<T>, RenderError> {
        let slice = staging.slice(..bytes);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // The receiver outlives the poll below; a send can only fail after it returned.
            let _ = sender.send(result);
        });
        self.wait()?;
        receiver
            .recv()
            .map_err(|_| RenderError::DeviceLost("readback was dropped".into()))?
            .map_err(|error| RenderError::Gpu(error.to_string()))?;
        let view = slice.get_mapped_range().map_err(|error| RenderError::Gpu(error.to_string()))?;
        // The mapping may be less aligned than T.
        let mut out = vec![T::zeroed(); bytes as usize / size_of::<T>()];
        bytemuck::cast_slice_mut::<T, u8>(&mut out).copy_from_slice(&view);
        Ok(out)
    }

    /// Waits until all submitted work is done.
    ///
    /// # Errors
    /// Device loss, or any error the driver reported before.
    pub fn wait(&self) -> Result<(), RenderError> {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| RenderError::DeviceLost(error.to_string()))?;
        self.check()
    }
}

fn record(slot: &Mutex<Option<RenderError>>, error: RenderError) {
    let mut slot = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // What was reported just before a loss is a consequence of it.
    if slot.is_none() || matches!(error, RenderError::DeviceLost(_)) {
        *slot = Some(error);
    }
}

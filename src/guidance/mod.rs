//! Score distillation: from diffusion predictions to image gradients.

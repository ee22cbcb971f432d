//! Stable Diffusion on candle: checkpoints, networks and noise schedules.

//! The optimisation: stages, views, schedules.

//! Files people open: GLB, images, turntables.

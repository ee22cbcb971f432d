//! Expressions as `ARKit` face units.

use super::Expression;

impl Expression {
    /// Its face units with their weights, `[0, 1]`.
    #[must_use]
    pub fn units(self) -> &'static [(&'static str, f32)] {
        match self {
            Expression::Neutral => &[],
            Expression::Smiling => &[
                ("mouthSmileLeft", 0.95),
                ("mouthSmileRight", 0.95),
                ("cheekSquintLeft", 0.5),
                ("cheekSquintRight", 0.5),
                ("mouthDimpleLeft", 0.3),
                ("mouthDimpleRight", 0.3),
            ],
            Expression::Laughing => &[
                ("mouthSmileLeft", 1.0),
                ("mouthSmileRight", 1.0),
                ("jawOpen", 0.45),
                ("cheekSquintLeft", 0.7),
                ("cheekSquintRight", 0.7),
                ("mouthUpperUpLeft", 0.5),
                ("mouthUpperUpRight", 0.5),
            ],
            Expression::Surprised => &[
                ("jawOpen", 0.5),
                ("browInnerUp", 1.0),
                ("browOuterUpLeft", 1.0),
                ("browOuterUpRight", 1.0),
                ("eyeWideLeft", 1.0),
                ("eyeWideRight", 1.0),
            ],
            Expression::Angry => &[
                ("browDownLeft", 1.0),
                ("browDownRight", 1.0),
                ("noseSneerLeft", 0.8),
                ("noseSneerRight", 0.8),
                ("mouthPressLeft", 0.5),
                ("mouthPressRight", 0.5),
                ("mouthFrownLeft", 0.6),
                ("mouthFrownRight", 0.6),
                ("eyeSquintLeft", 0.4),
                ("eyeSquintRight", 0.4),
            ],
            Expression::Sad => &[
                ("browInnerUp", 1.0),
                ("mouthFrownLeft", 1.0),
                ("mouthFrownRight", 1.0),
                ("mouthShrugLower", 0.4),
                ("eyeBlinkLeft", 0.2),
                ("eyeBlinkRight", 0.2),
            ],
            Expression::Sleeping => &[("eyeBlinkLeft", 1.0), ("eyeBlinkRight", 1.0)],
            Expression::Screaming => &[
                ("jawOpen", 0.9),
                ("mouthStretchLeft", 0.4),
                ("mouthStretchRight", 0.4),
                ("browDownLeft", 0.5),
                ("browDownRight", 0.5),
                ("eyeSquintLeft", 0.3),
                ("eyeSquintRight", 0.3),
            ],
            Expression::Winking => &[
                ("eyeBlinkLeft", 1.0),
                ("cheekSquintLeft", 0.8),
                ("mouthSmileLeft", 0.9),
                ("mouthSmileRight", 0.5),
                ("browOuterUpRight", 0.5),
            ],
            Expression::Kissing => &[("mouthPucker", 1.0), ("mouthFunnel", 0.25)],
            Expression::Disgusted => &[
                ("noseSneerLeft", 1.0),
                ("noseSneerRight", 1.0),
                ("mouthUpperUpLeft", 0.7),
                ("mouthUpperUpRight", 0.7),
                ("mouthFrownLeft", 0.6),
                ("mouthFrownRight", 0.6),
                ("browDownLeft", 0.6),
                ("browDownRight", 0.6),
                ("eyeSquintLeft", 0.6),
                ("eyeSquintRight", 0.6),
            ],
        }
    }
}

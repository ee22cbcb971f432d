//! Cuts, accessories, expressions and people, by name.

use super::names::named;
use serde::{Deserialize, Serialize};

named! {
    /// Cut of the head hair.
    HairStyle {
        /// None.
        Bald = "bald",
        /// Shaved to a shadow.
        Buzz = "buzz",
        /// A close cut.
        Short = "short",
        /// Short curls.
        Curly = "curly",
        /// A large round afro.
        Afro = "afro",
        /// A ridge over shaved sides.
        Mohawk = "mohawk",
        /// To the chin.
        Bob = "bob",
        /// To the shoulders or lower.
        Long = "long",
        /// As long, in waves.
        Wavy = "wavy",
        /// Combed back into a tail.
        Ponytail = "ponytail",
        /// Combed back into a knot.
        Bun = "bun",
        /// Short spikes.
        Spiky = "spiky",
    }
}

named! {
    /// Cut of the beard.
    BeardStyle {
        /// None.
        None = "none",
        /// A shadow.
        Stubble = "stubble",
        /// Upper lip only.
        Moustache = "moustache",
        /// Mouth and chin.
        Goatee = "goatee",
        /// The whole jaw.
        Full = "full",
        /// The whole jaw, down over the neck.
        Long = "long",
        /// Both cheeks, the chin free.
        Sideburns = "sideburns",
    }
}

named! {
    /// Glasses.
    Glasses {
        /// None.
        None = "none",
        /// Round rims.
        Round = "round",
        /// Square rims.
        Square = "square",
        /// Dark lenses.
        Sun = "sun",
    }
}

named! {
    /// Headgear.
    Hat {
        /// None.
        None = "none",
        /// A cap with a visor.
        Cap = "cap",
        /// A knitted hat.
        Beanie = "beanie",
        /// A felt hat with a brim.
        Fedora = "fedora",
        /// A tall cylinder with a brim.
        TopHat = "top hat",
        /// A hard shell with a crest.
        Helmet = "helmet",
        /// A golden ring with points.
        Crown = "crown",
    }
}

named! {
    /// The face's expression.
    Expression {
        /// At rest.
        Neutral = "neutral",
        /// Smiling with closed lips or a little teeth.
        Smiling = "smiling",
        /// Laughing with an open mouth.
        Laughing = "laughing",
        /// Surprised.
        Surprised = "surprised",
        /// Angry.
        Angry = "angry",
        /// Sad.
        Sad = "sad",
        /// With closed eyes.
        Sleeping = "sleeping",
        /// Screaming.
        Screaming = "screaming",
        /// One eye closed.
        Winking = "winking",
        /// Lips pursed for a kiss.
        Kissing = "kissing",
        /// Nose wrinkled.
        Disgusted = "disgusted",
    }
}

named! {
    /// Age in words.
    AgeGroup {
        /// 5 to 12.
        Child = "child",
        /// 18 to 35.
        Young = "young",
        /// 40 to 60.
        Middle = "middle",
        /// Over 65.
        Old = "old",
    }
}

named! {
    /// The ancestry whose shape dominates.
    Ethnicity {
        /// African.
        African = "african",
        /// East Asian.
        Asian = "asian",
        /// European.
        European = "european",
        /// South Asian.
        Indian = "indian",
        /// All of them.
        Mixed = "mixed",
    }
}

named! {
    /// Thickness of the brows.
    Brows {
        /// Plucked.
        Thin = "thin",
        /// Neither.
        Medium = "medium",
        /// Bushy.
        Bushy = "bushy",
    }
}

named! {
    /// Earrings.
    Earrings {
        /// None.
        None = "none",
        /// Golden rings.
        Hoops = "hoops",
        /// Silver beads.
        Studs = "studs",
    }
}

named! {
    /// Paint on the face.
    FacePaint {
        /// None.
        None = "none",
        /// White, with a red nose and mouth.
        Clown = "clown",
        /// A white skull with black sockets.
        Skull = "skull",
        /// Stripes over cheeks and forehead.
        Tribal = "tribal",
        /// Orange with black stripes.
        Tiger = "tiger",
    }
}

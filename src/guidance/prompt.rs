//! View-dependent prompts (HeadSculpt section 2; method: "{y}, {front|side|back} view of head").

use crate::batch::ViewRegion;

/// What back views add, so that no second face grows there.
const BACK_SUFFIX: &str = ", without eyes, without faces";

/// The prompt with the words of a view. `describe_back` appends the paper's words
/// against a face at the back, which models that know only short captions ignore.
#[must_use]
pub fn with_view(prompt: &str, region: ViewRegion, describe_back: bool) -> String {
    let suffix = if describe_back && region == ViewRegion::Back { BACK_SUFFIX } else { "" };
    format!("{prompt}, {} view of head{suffix}", region.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_region() {
        let p = |region, back| with_view("a man", region, back);
        assert_eq!(p(ViewRegion::Front, true), "a man, front view of head");
        assert_eq!(p(ViewRegion::Right, true), "a man, side view of head");
        assert_eq!(p(ViewRegion::Back, false), "a man, back view of head");
        assert_eq!(
            p(ViewRegion::Back, true),
            "a man, back view of head, without eyes, without faces"
        );
    }
}

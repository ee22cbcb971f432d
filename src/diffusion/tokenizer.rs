//! CLIP's byte-pair tokenizer, or whatever `tokenizer.json` describes, with CLIP's framing:
//! start token, text, end token, padding to a fixed length.

use super::checkpoint::Checkpoint;
use super::config::{Config, read_json, read_text};
use super::error::CheckpointError;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The words CLIP's pre-tokenizer splits a sentence into.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// A prompt's way to a fixed number of tokens.
pub struct PromptTokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    pad: u32,
    unknown: Option<u32>,
    length: usize,
}

/// What a prompt becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizeReport {
    /// Exactly as many ids as the text encoder is given.
    pub ids: Vec<u32>,
    /// Tokens of the text itself, before anything was cut.
    pub tokens: usize,
    /// Tokens of text that fit.
    pub limit: usize,
    /// The end of the prompt that did not fit, if any.
    pub cut: Option<String>,
    /// Pieces of the prompt that the vocabulary does not know.
    pub unknown: Vec<String>,
}

struct Special {
    folder: PathBuf,
    config: Option<Config>,
    legacy: Option<Config>,
}

impl Special {
    /// A special token's text. The map of older files outranks `tokenizer_config.json` unless the
    /// latter lists its added tokens, as in the reference.
    fn text(&self, name: &str, default: &str) -> Result<String, CheckpointError> {
        let modern =
            self.config.as_ref().is_some_and(|c| c.value("added_tokens_decoder").is_some());
        let sources = if modern { [&self.config, &None] } else { [&self.legacy, &self.config] };
        for config in sources.into_iter().flatten() {
            match config.value(name) {
                Some(Value::String(text)) => return Ok(text.clone()),
                Some(Value::Object(token)) => {
                    return match token.get("content") {
                        Some(Value::String(text)) => Ok(text.clone()),
                        _ => Err(config.problem(name, "has no `content`")),
                    };
                }
                Some(other) => {
                    return Err(config.problem(name, format!("must be a token, not {other}")));
                }
                None => {}
            }
        }
        Ok(default.to_owned())
    }
}

fn failure(path: &Path) -> impl Fn(String) -> CheckpointError + '_ {
    // The library's messages may be several sentences; ours is one.
    |reason| {
        let reason = reason.lines().next().unwrap_or_default().replace(". ", ", ");
        CheckpointError::Tokenizer { path: path.to_owned(), reason }
    }
}

impl PromptTokenizer {
    /// Reads the `tokenizer` folder: `tokenizer.json`, or `vocab.json` with `merges.txt`.
    /// `longest` is the text encoder's limit, `vocabulary` the number of ids it knows.
    ///
    /// # Errors
    /// If files are missing or broken, or a special token is not in the vocabulary.
    pub fn load(
        checkpoint: &Checkpoint,
        longest: usize,
        vocabulary: usize,
    ) -> Result<Self, CheckpointError> {
        let folder = checkpoint.path("tokenizer");
        if !folder.is_dir() {
            return Err(CheckpointError::Missing { path: folder });
        }
        let optional = |name: &str| {
            let path = folder.join(name);
            if path.exists() { Config::read(&path).map(Some) } else { Ok(None) }
        };
        let special = Special {
            config: optional("tokenizer_config.json")?,
            legacy: optional("special_tokens_map.json")?,
            folder,
        };
        let names = [
            special.text("bos_token", "<|startoftext|>")?,
            special.text("eos_token", "<|endoftext|>")?,
            special.text("pad_token", "<|endoftext|>")?,
            special.text("unk_token", "<|endoftext|>")?,
        ];
        let json = special.folder.join("tokenizer.json");
        let (path, bytes) = if json.exists() {
            read_json::<serde::de::IgnoredAny>(&json)?;
            (json.clone(), read_text(&json)?)
        } else {
            (
                special.folder.join("vocab.json"),
                from_vocabulary(&special.folder, &names)?.to_string(),
            )
        };
        let fail = failure(&path);
        let mut inner =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| fail(e.to_string()))?;
        // Framing, cutting and padding are ours.
        inner.with_truncation(None).map_err(|e| fail(e.to_string()))?;
        inner.with_padding(None);
        let id = |name: &str| {
            let id = inner
                .token_to_id(name)
                .ok_or_else(|| fail(format!("`{name}` is not in the vocabulary")))?;
            if (id as usize) < vocabulary {
                return Ok(id);
            }
            Err(fail(format!(
                "`{name}` has id {id}, but the text encoder knows {vocabulary} tokens"
            )))
        };
        let (start, end, pad) = (id(&names[0])?, id(&names[1])?, id(&names[2])?);
        let unknown = inner.token_to_id(&names[3]);
        let length = match &special.config {
            // Files without a limit say 1e30.
            Some(c) => {
                (c.number_or("model_max_length", longest as f64)?.max(0.0) as usize).min(longest)
            }
            None => longest,
        };
        if length < 3 {
            return Err(fail(format!("its limit of {length} tokens leaves no room for a prompt")));
        }
        Ok(Self { inner, start, end, pad, unknown, length })
    }

    /// Tokenizes a prompt; nothing in it can make this fail except the tokenizer's own definition.
    ///
    /// # Errors
    /// If the tokenizer library refuses the text.
    pub fn report(&self, prompt: &str) -> super::Result<TokenizeReport> {
        let encoding = self.inner.encode(prompt, false).map_err(|e| {
            super::DiffusionError::Input(format!("the prompt cannot be tokenized: {e}"))
        })?;
        let (ids, spans) = (encoding.get_ids(), encoding.get_offsets());
        let limit = self.length - 2;
        let piece =
            |from: usize, to: usize| prompt.get(from..to).unwrap_or_default().trim().to_owned();
        let cut = spans.get(limit).map(|span| piece(span.0, prompt.len()));
        let mut unknown: Vec<String> = Vec::new();
        let mut note = |text: String| {
            if !text.is_empty() && !unknown.contains(&text) {
                unknown.push(text);
            }
        };
        // Besides unknown tokens there are characters that no token covers.
        let mut reached = 0;
        for (&id, &(from, to)) in ids.iter().zip(spans) {
            if from > reached {
                note(piece(reached, from));
            }
            reached = reached.max(to);
            let text = piece(from, to);
            if Some(id) == self.unknown
                && self.inner.id_to_token(id).is_none_or(|token| token != text)
            {
                note(text);
            }
        }
        note(piece(reached, prompt.len()));
        let mut row = vec![self.start];
        row.extend(ids.iter().take(limit));
        row.push(self.end);
        row.resize(self.length, self.pad);
        Ok(TokenizeReport { ids: row, tokens: ids.len(), limit, cut, unknown })
    }
}

/// CLIP's tokenizer pipeline round a vocabulary and merges, as a `tokenizer.json` value.
fn from_vocabulary(folder: &Path, names: &[String; 4]) -> Result<Value, CheckpointError> {
    let vocabulary: serde_json::Map<String, Value> = read_json(&folder.join("vocab.json"))?;
    let path = folder.join("merges.txt");
    let text = read_text(&path)?;
    let mut merges = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with("#version") && !l.trim().is_empty()) {
        let pair: Vec<&str> = line.split(' ').collect();
        if pair.len() != 2 {
            return Err(failure(&path)(format!("the line `{line}` is not a pair of pieces")));
        }
        merges.push(pair);
    }
    let mut added: Vec<Value> = Vec::new();
    for name in names {
        if let Some(id) =
            vocabulary.get(name).filter(|_| added.iter().all(|a| a["content"] != **name))
        {
            added.push(json!({
                "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true
            }));
        }
    }
    added.sort_by_key(|token| token["id"].as_u64());
    // A vocabulary without its unknown token drops what it does not know.
    let unknown = vocabulary.get(&names[3]).map(|_| &names[3]);
    Ok(json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"}
        ]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Removed", "invert": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
        ]},
        "post_processor": null,
        "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false,
            "vocab": vocabulary, "merges": merges
        }
    }))
}

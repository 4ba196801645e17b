//! Sentences as numbers: tokens, and the words that a net knows.
//!
//! ```
//! use lyncean::nn::text::{PADDING, UNKNOWN, Vocabulary, tokenize};
//!
//! assert_eq!(tokenize("It isn't (quite) Kim's!"), ["it", "is", "n't", "(", "quite", ")", "kim", "'s", "!"]);
//!
//! let sentences = ["a good film", "a bad film", "a film"].map(tokenize);
//! let known = Vocabulary::of(sentences.iter().map(Vec::as_slice), 2);
//! assert_eq!(known.words(), ["<pad>", "<unk>", "a", "film"]);
//! let mut values = [9.0; 4];
//! assert_eq!(known.encode(&tokenize("a good film"), &mut values), 3);
//! assert_eq!(values, [2.0, UNKNOWN as f32, 3.0, PADDING as f32]);
//! assert_eq!(Vocabulary::from_words(known.words().to_vec())?.words(), known.words());
//! # Ok::<(), lyncean::Error>(())
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::{Error, Result};

/// What fills up short sentences.
pub const PADDING: usize = 0;
/// What stands for every word that is not in the vocabulary.
pub const UNKNOWN: usize = 1;
/// The first entries of every vocabulary. No token has such a sign in it.
const SPECIAL: [&str; 2] = ["<pad>", "<unk>"];
/// Ends that are words of their own.
const CLITICS: [&str; 6] = ["n't", "'s", "'ve", "'re", "'d", "'ll"];

/// The words of a sentence, in lower case.
///
/// The rules are those of Kim (2014): letters, digits and ``( ) , ! ? ' ` `` stay, every other sign parts words;
/// `( ) , ! ?` are words of their own; `n't`, `'s`, `'ve`, `'re`, `'d` and `'ll` are cut off the ends of words.
/// Other than there, letters of all alphabets are letters.
pub fn tokenize(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        match sign {
            '(' | ')' | ',' | '!' | '?' => spaced.extend([' ', sign, ' ']),
            '\'' | '`' => spaced.push(sign),
            _ if sign.is_alphanumeric() => spaced.extend(sign.to_lowercase()),
            _ => spaced.push(' '),
        }
    }
    let mut tokens = Vec::new();
    for word in spaced.split_whitespace() {
        match CLITICS.iter().find_map(|end| Some((word.strip_suffix(end)?, *end))) {
            Some((stem, end)) if !stem.is_empty() => tokens.extend([stem.to_owned(), end.to_owned()]),
            _ => tokens.push(word.to_owned()),
        }
    }
    tokens
}

/// The words that a net knows, by number. [`PADDING`] and [`UNKNOWN`] come first.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Vocabulary {
    /// The words that occur at least `min_count` times, the most frequent first, of equally frequent ones
    /// in the order of their letters.
    pub fn of<'a>(sentences: impl Iterator<Item = &'a [String]>, min_count: usize) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in sentences.flatten() {
            *counts.entry(word).or_default() += 1;
        }
        let mut order: Vec<(&str, usize)> =
            counts.into_iter().filter(|(_, count)| *count >= min_count).collect();
        // Stable: the letters' order stays among equals.
        order.sort_by_key(|(_, count)| Reverse(*count));
        Self::numbered(
            SPECIAL.into_iter().chain(order.into_iter().map(|(word, _)| word)).map(str::to_owned).collect(),
        )
    }

    /// The vocabulary of a list of words, as [`words`](Self::words) gave it.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when it does not begin with the padding and the unknown word, or a word
    /// comes twice.
    pub fn from_words(words: Vec<String>) -> Result<Self> {
        if !words.iter().zip(SPECIAL).all(|(word, special)| word == special) || words.len() < SPECIAL.len() {
            return Err(Error::input(format!("expected a vocabulary that begins with {SPECIAL:?}")));
        }
        let vocabulary = Self::numbered(words);
        let (words, numbers) = (vocabulary.words.len(), vocabulary.numbers.len());
        if words != numbers {
            return Err(Error::input(format!(
                "expected words that differ, got {words} of which {numbers} do"
            )));
        }
        Ok(vocabulary)
    }

    fn numbered(words: Vec<String>) -> Self {
        let numbers = words.iter().enumerate().map(|(number, word)| (word.clone(), number)).collect();
        Self { words, numbers }
    }

    /// All words by number.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The number of a word.
    pub fn number(&self, word: &str) -> usize {
        self.numbers.get(word).copied().unwrap_or(UNKNOWN)
    }

    /// Fills `values` with the numbers of the words, then with padding, and gives how many words found room.
    pub fn encode(&self, tokens: &[String], values: &mut [f32]) -> usize {
        values.fill(PADDING as f32);
        for (value, word) in values.iter_mut().zip(tokens) {
            *value = self.number(word) as f32;
        }
        tokens.len().min(values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_as_said() {
        let cases: [(&str, &[&str]); 6] = [
            ("  What's  new-ish? ", &["what", "'s", "new", "ish", "?"]),
            ("they'll we've you're I'd", &["they", "'ll", "we", "'ve", "you", "'re", "i", "'d"]),
            ("'s n't", &["'s", "n't"]),
            ("O'Doul", &["o'doul"]),
            ("Cr\u{e8}me, 12%", &["cr\u{e8}me", ",", "12"]),
            ("<pad> <unk>", &["pad", "unk"]),
        ];
        for (text, wanted) in cases {
            assert_eq!(tokenize(text), wanted, "{text}");
        }
        assert!(tokenize(" -- ").is_empty());
    }

    #[test]
    fn rare_words_are_unknown_and_long_sentences_are_cut() {
        let sentences = [tokenize("b a a"), tokenize("c b a d")];
        let known = Vocabulary::of(sentences.iter().map(Vec::as_slice), 2);
        assert_eq!(known.words(), ["<pad>", "<unk>", "a", "b"]);
        let mut values = [7.0; 2];
        assert_eq!(known.encode(&sentences[1], &mut values), 2);
        assert_eq!(values, [UNKNOWN as f32, 3.0]);
        assert!(Vocabulary::from_words(vec!["<pad>".into()]).is_err());
        let twice = ["<pad>", "<unk>", "a", "a"].map(str::to_owned).to_vec();
        assert!(Vocabulary::from_words(twice).is_err());
    }
}

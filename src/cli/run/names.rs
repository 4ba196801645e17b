//! Paths as text, and back.
//!
//! Records, journals and messages are text; a path of most systems may hold bytes that are none. Those
//! are written as `\xNN`, so that different files have different names and each can be found again.

use std::fmt::Write as _;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// A path with `/` between its parts.
pub(in super::super) fn shown(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text += chunk.valid();
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    if MAIN_SEPARATOR == '/' { text } else { text.replace(MAIN_SEPARATOR, "/") }
}

/// Whether the file that was [`shown`] as `name` stands in a folder.
pub(super) fn is_file(folder: &Path, name: &str) -> bool {
    folder.join(name).is_file() || hidden_bytes(name).is_some_and(|path| folder.join(path).is_file())
}

/// The path behind a name with `\xNN` in it.
fn hidden_bytes(name: &str) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let mut bytes = Vec::new();
        let mut rest = name.as_bytes();
        while let [first, tail @ ..] = rest {
            let digits = tail.strip_prefix(b"x").and_then(|digits| digits.first_chunk::<2>());
            let byte = digits.filter(|_| *first == b'\\').and_then(|digits| {
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().filter(|byte| *byte > 127)
            });
            bytes.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &rest[4..] } else { tail };
        }
        (bytes != name.as_bytes()).then(|| std::ffi::OsString::from_vec(bytes).into())
    }
    #[cfg(not(unix))]
    {
        let _ = name;
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let odd = Path::new(OsStr::from_bytes(b"a\xff\xc3\xa4\\x.png"));
        assert_eq!(shown(odd), "a\\xffä\\x.png");
        assert!(!is_file(folder.path(), &shown(odd)));
        std::fs::write(folder.path().join(odd), "").unwrap();
        assert!(is_file(folder.path(), &shown(odd)));
        // A name that looks like one stays what it is.
        std::fs::write(folder.path().join("b\\xff.png"), "").unwrap();
        assert!(is_file(folder.path(), "b\\xff.png"));
        assert!(!is_file(folder.path(), "b\\xfe.png"));
    }
}

//! Ids that tell nobody who they are without the key: HMAC-SHA-256 of an id (RFC 2104, FIPS 198-1), the first 128 bits
//! in hexadecimal.
//!
//! The same key gives the same pseudonym in every file, so that tables made on different days can be joined; another key
//! gives others. A plain hash would not do: ids are few enough to hash them all and look.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};

/// A key shorter than this can be guessed.
const SHORTEST_KEY: usize = 16;

/// Bytes of the code that make a pseudonym: of a billion customers two share one with a chance of 10⁻²¹.
const BYTES: usize = 16;

/// Makes pseudonyms by one key.
#[derive(Clone)]
pub struct Pseudonyms {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Pseudonyms {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// By a key of at least 16 bytes.
    ///
    /// # Errors
    /// [`Error::Value`] for a shorter one; it does not say the key.
    pub fn new(key: &[u8]) -> Result<Pseudonyms> {
        let short = || {
            Error::value(
                "the key of pseudonyms",
                format!("{} bytes", key.len()),
                format!("fewer than {SHORTEST_KEY} can be guessed"),
                "make one with: head -c 32 /dev/urandom | base64 > key",
            )
        };
        if key.len() < SHORTEST_KEY {
            return Err(short());
        }
        // Keys of any length are taken.
        let keyed = Hmac::<Sha256>::new_from_slice(key).map_err(|_| short())?;
        Ok(Pseudonyms { keyed })
    }

    /// By the key in a file: all its bytes but white space at either end, which editors add.
    ///
    /// # Errors
    /// As for [`Pseudonyms::new`], and [`Error::Io`].
    pub fn read(path: &Path) -> Result<Pseudonyms> {
        let bytes = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
        Pseudonyms::new(bytes.trim_ascii())
    }

    /// The pseudonym of an id as it is written: 32 hexadecimal digits.
    pub fn of(&self, id: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(id.as_bytes());
        let code = keyed.finalize().into_bytes();
        code.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 6: a key of 131 bytes 0xaa.
    #[test]
    fn the_code_is_the_standards() {
        let pseudonyms = Pseudonyms::new(&[0xaa; 131]).unwrap();
        let of = pseudonyms.of("Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(of, "60e431591ee0b67f0d8a26aacbf5b77f");
        assert_ne!(pseudonyms.of("17"), Pseudonyms::new(&[0xab; 131]).unwrap().of("17"));
        assert_eq!(format!("{pseudonyms:?}"), "Pseudonyms");
    }

    #[test]
    fn keys_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "0123456789abcdef\n").unwrap();
        let read = Pseudonyms::read(&path).unwrap();
        assert_eq!(read.of("17"), Pseudonyms::new(b"0123456789abcdef").unwrap().of("17"));
        std::fs::write(&path, "secret\n").unwrap();
        let error = Pseudonyms::read(&path).unwrap_err().to_string();
        assert_eq!(error, "the key of pseudonyms cannot be \"6 bytes\": fewer than 16 can be guessed");
        assert!(!error.contains("secret"));
    }
}

//! The service's own secret, and what is signed or sealed with it. Each purpose has a key of its own,
//! derived from the secret, so that what was made for one proves nothing for another. Several secrets may
//! be known at once: the first signs and seals, all verify and open, so that one can be replaced without a
//! break.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::private_file;

/// The shortest secret that is accepted, in bytes.
pub const MIN_BYTES: usize = 16;

/// A secret of fewer different bytes was typed, not drawn: of 16 random hexadecimal digits fewer than one in
/// ten thousand have so few.
const MIN_DISTINCT: usize = 6;

/// What is made where there is no secret yet, in bytes.
const MADE_BYTES: usize = 32;

/// What a signature or a seal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Addresses of covers.
    Cover,
    /// Links to copies of a person's data.
    Export,
    /// Cursors of pages.
    Cursor,
}

impl Purpose {
    /// Never changes: signatures outlive releases.
    const fn label(self) -> &'static [u8] {
        match self {
            Purpose::Cover => b"omnitrack cover 1",
            Purpose::Export => b"omnitrack export 1",
            Purpose::Cursor => b"omnitrack cursor 1",
        }
    }
}

/// The secrets. They show in no debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    first: Vec<u8>,
    older: Vec<Vec<u8>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why there is no secret to sign with. It quotes none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("must hold at least {MIN_BYTES} bytes in each of its parts")]
    TooShort,
    #[error("must be random in each of its parts, such as `openssl rand -base64 32` gives it")]
    Weak,
    #[error("the file with the secret, beside the database: {0}")]
    File(#[from] io::Error),
}

/// Returns whether a secret is made of so few different bytes that it can be guessed.
pub fn is_weak(secret: &[u8]) -> bool {
    secret.iter().collect::<HashSet<_>>().len() < MIN_DISTINCT
}

impl Secrets {
    /// Reads a comma list. Blanks around a secret are none of its own.
    pub fn parse(list: &str) -> Result<Self, SecretError> {
        let mut secrets = list.split(',').map(|text| text.trim().as_bytes().to_vec());
        let first = secrets.next().unwrap_or_default();
        let older: Vec<Vec<u8>> = secrets.collect();
        if older.iter().chain([&first]).any(|secret| secret.len() < MIN_BYTES) {
            return Err(SecretError::TooShort);
        }
        if older.iter().chain([&first]).any(|secret| is_weak(secret)) {
            return Err(SecretError::Weak);
        }
        Ok(Self { first, older })
    }

    /// The secret kept in `path`, which is made if it is not there: readable by its owner alone, and
    /// whole from the first moment, also when several processes come here at once.
    pub fn kept_in(path: &Path) -> Result<Self, SecretError> {
        if !path.exists() {
            make(path)?;
        }
        private_file::warn_if_exposed(path, "secret key");
        Self::parse(fs::read_to_string(path)?.trim())
    }

    /// What signs and verifies for `purpose`.
    pub fn signer(&self, purpose: Purpose) -> Signer {
        let key = |secret: &Vec<u8>| hmac::Key::new(hmac::HMAC_SHA384, derive(secret, purpose).as_ref());
        Signer(Arc::new((key(&self.first), self.older.iter().map(key).collect())))
    }

    /// What seals and opens for `purpose`.
    pub fn sealer(&self, purpose: Purpose) -> Sealer {
        let key = |secret: &Vec<u8>| {
            let own = derive(secret, purpose);
            let bytes = own.as_ref().get(..AES_256_GCM.key_len()).unwrap_or_default();
            // The length is right, so that this does not fail; what cannot be sealed is an error later.
            RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()
        };
        Sealer(Arc::new((key(&self.first), self.older.iter().filter_map(key).collect())))
    }
}

/// A purpose's own key, of 48 bytes.
fn derive(secret: &[u8], purpose: Purpose) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA384, secret), purpose.label())
}

/// Writes a new secret beside `path` and moves it there, unless another process was first.
fn make(path: &Path) -> Result<(), SecretError> {
    let mut secret = [0; MADE_BYTES];
    rand::fill(&mut secret).map_err(|_| io::Error::other("no random numbers"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(URL_SAFE_NO_PAD.encode(secret).as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        // The name must survive a power cut as the content does.
        Ok(_) => Ok(fs::File::open(folder)?.sync_all()?),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error.into()),
    }
}

/// Signs with its first key and verifies with all, for one purpose. Cheap to clone.
#[derive(Clone)]
pub struct Signer(Arc<(hmac::Key, Vec<hmac::Key>)>);

/// A signature in full. Parts of it may stand for parts of what was signed.
#[derive(Clone, Copy)]
pub struct Signature(hmac::Tag);

/// A part of a signature, in bytes: nobody guesses 128 bits.
pub const PART: usize = 16;

impl Signer {
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(hmac::sign(&self.0.0, message))
    }

    /// Whether `given` is part number `part` of a signature of `message`. Takes as long for a wrong one
    /// as for a right one.
    pub fn verifies(&self, message: &[u8], part: usize, given: &[u8]) -> bool {
        std::iter::once(&self.0.0).chain(&self.0.1).any(|key| {
            let own = Signature(hmac::sign(key, message));
            constant_time::verify_slices_are_equal(own.part(part), given).is_ok()
        })
    }
}

impl Signature {
    /// Part 0, 1 or 2.
    pub fn part(&self, number: usize) -> &[u8] {
        self.0.as_ref().chunks(PART).nth(number).unwrap_or_default()
    }
}

/// Seals with its first key and opens with all, for one purpose: nobody else can read what is sealed, nor
/// change it (AES-256-GCM under a random nonce). Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<(Option<RandomizedNonceKey>, Vec<RandomizedNonceKey>)>);

impl Sealer {
    /// Seals `message`; none if the machine has no random numbers.
    pub fn seal(&self, message: &[u8]) -> Option<String> {
        let mut sealed = message.to_vec();
        let nonce = self.0.0.as_ref()?.seal_in_place_append_tag(Aad::empty(), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &sealed].concat()))
    }

    /// What was sealed; none for a text that nobody of ours has sealed.
    pub fn open(&self, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        self.0.0.iter().chain(&self.0.1).find_map(|key| {
            let mut opened = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            Some(key.open_in_place(nonce, Aad::empty(), &mut opened).ok()?.to_vec())
        })
    }
}

#[cfg(test)]
#[path = "secret_test.rs"]
mod tests;

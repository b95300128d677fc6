//! What the address of a copy holds: whose copy it is and until when it can be had, sealed, so that the
//! address alone opens it and says nothing to whoever sees it.

use uuid::Uuid;

use crate::clock::Millis;
use crate::config::Secret;
use crate::secret::Sealer;

/// What is sealed in an address.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub export: Uuid,
    pub account: Uuid,
    pub expires_at: Millis,
    /// Clerk's id of the person, to ask for the profile with. It is in the address because it is stored
    /// nowhere.
    pub user_id: Secret,
}

impl Ticket {
    /// The address's last part; none if the machine has no random numbers.
    pub fn seal(&self, sealer: &Sealer) -> Option<String> {
        let expires_at = self.expires_at.to_be_bytes();
        let parts: [&[u8]; 4] =
            [self.export.as_bytes(), self.account.as_bytes(), &expires_at, self.user_id.expose().as_bytes()];
        sealer.seal(&parts.concat())
    }

    /// Reads it back; none for what was not sealed here.
    pub fn open(text: &str, sealer: &Sealer) -> Option<Self> {
        let opened = sealer.open(text)?;
        let (export, rest) = opened.split_first_chunk::<16>()?;
        let (account, rest) = rest.split_first_chunk::<16>()?;
        let (expires_at, user_id) = rest.split_first_chunk::<8>()?;
        Some(Self {
            export: Uuid::from_bytes(*export),
            account: Uuid::from_bytes(*account),
            expires_at: Millis::from_be_bytes(*expires_at),
            user_id: Secret::new(std::str::from_utf8(user_id).ok()?),
        })
    }
}

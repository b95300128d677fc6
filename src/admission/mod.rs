//! Admission control: how much may be under way at once at this instance, in total and per owner. It knows
//! nothing of what is admitted.

mod budget;
mod slots;

use std::net::IpAddr;

use uuid::Uuid;

pub use budget::{ByteBudget, Exhausted, Reservation};
pub use slots::{Refused, Slot, Slots};

/// The part of the budget that requests without a token may use: those of accounts keep the rest.
const ANONYMOUS_PART: usize = 16;
/// How many owners it takes to use a budget up.
const SHARES: usize = 4;

/// The bytes of request bodies in memory.
#[derive(Debug, Clone)]
pub struct Bodies {
    pub accounts: ByteBudget<Uuid>,
    /// Of requests without a token, by client address.
    pub anonymous: ByteBudget<IpAddr>,
}

impl Bodies {
    pub fn new(bytes: usize) -> Self {
        let anonymous = bytes / ANONYMOUS_PART;
        Self {
            accounts: ByteBudget::new(bytes - anonymous, bytes / SHARES),
            anonymous: ByteBudget::new(anonymous, anonymous / SHARES),
        }
    }
}

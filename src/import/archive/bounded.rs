//! A reader that is given so many bytes for each thing that is read from it, and so many for all.

use std::cell::Cell;
use std::io::{self, Read};

/// What stopped a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// One thing is larger than it may be.
    Part,
    /// All of it is.
    Whole,
}

/// How many bytes may still be read. Shared by the reader and whoever knows where a thing begins.
#[derive(Debug)]
pub struct Budget {
    part: Cell<u64>,
    whole: Cell<u64>,
    excess: Cell<Option<Excess>>,
}

impl Budget {
    pub fn new(whole: u64) -> Self {
        Self { part: Cell::new(whole), whole: Cell::new(whole), excess: Cell::new(None) }
    }

    /// A new thing begins, of at most so many bytes.
    pub fn begin(&self, bytes: u64) {
        self.part.set(bytes);
    }

    /// What was too large, if anything was.
    pub fn excess(&self) -> Option<Excess> {
        self.excess.get()
    }
}

/// Reads within a budget.
pub struct Bounded<'a, R> {
    inner: R,
    budget: &'a Budget,
}

impl<'a, R> Bounded<'a, R> {
    pub fn new(inner: R, budget: &'a Budget) -> Self {
        Self { inner, budget }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let budget = self.budget;
        let read = self.inner.read(buffer)?;
        let bytes = read as u64;
        for (left, excess) in [(&budget.part, Excess::Part), (&budget.whole, Excess::Whole)] {
            match left.get().checked_sub(bytes) {
                Some(rest) => left.set(rest),
                None => {
                    budget.excess.set(Some(excess));
                    return Err(io::Error::other("too large"));
                }
            }
        }
        Ok(read)
    }
}

//! Writes one JSON document a row at a time. Names and values come from the archive's own types; what is
//! here only puts brackets and commas between them.

use std::io::{self, Write as _};

use serde::Serialize;

use super::sink::{Broken, Sink};

/// A document under way.
pub(super) struct Json<'a> {
    sink: &'a mut Sink,
    /// Nothing stands yet between the brackets that were opened last.
    first: bool,
}

impl<'a> Json<'a> {
    /// Opens the document, which is an object.
    pub fn begin(sink: &'a mut Sink) -> io::Result<Self> {
        sink.write_all(b"{")?;
        Ok(Self { sink, first: true })
    }

    /// Closes the document.
    pub fn finish(self) -> io::Result<()> {
        self.sink.write_all(b"}\n")
    }

    /// A member of the object that is open.
    pub fn member(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.name(name)?;
        Ok(serde_json::to_writer(&mut *self.sink, value)?)
    }

    /// The same, if there is a value.
    pub fn optional(&mut self, name: &str, value: Option<&impl Serialize>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.member(name, value))
    }

    /// A value of the array that is open.
    pub fn element(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.separate()?;
        Ok(serde_json::to_writer(&mut *self.sink, value)?)
    }

    /// Opens a member that is an array.
    pub fn array(&mut self, name: &str) -> io::Result<()> {
        self.name(name)?;
        self.open(b"[")
    }

    /// Opens a member that is an object.
    pub fn object(&mut self, name: &str) -> io::Result<()> {
        self.name(name)?;
        self.open(b"{")
    }

    /// Opens an object in the array that is open.
    pub fn object_element(&mut self) -> io::Result<()> {
        self.separate()?;
        self.open(b"{")
    }

    pub fn end_array(&mut self) -> io::Result<()> {
        self.close(b"]")
    }

    pub fn end_object(&mut self) -> io::Result<()> {
        self.close(b"}")
    }

    /// Lets what was written leave, once it is enough.
    pub async fn pass_on(&mut self) -> Result<(), Broken> {
        self.sink.pass_on().await
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        self.separate()?;
        write!(self.sink, "\"{name}\":")
    }

    fn separate(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.first, false) {
            true => Ok(()),
            false => self.sink.write_all(b","),
        }
    }

    fn open(&mut self, bracket: &[u8]) -> io::Result<()> {
        self.first = true;
        self.sink.write_all(bracket)
    }

    fn close(&mut self, bracket: &[u8]) -> io::Result<()> {
        self.first = false;
        self.sink.write_all(bracket)
    }
}

//! Files as sources and sinks of rows.

use crate::Result;
use crate::image::codec::stream::{RowReader, RowWriter};
use crate::ops::row::{RowSink, RowSource};

/// Rows of a file.
pub(super) struct FileRows {
    reader: RowReader,
    next: usize,
}

impl FileRows {
    pub(super) fn new(reader: RowReader) -> Self {
        Self { reader, next: 0 }
    }
}

impl RowSource for FileRows {
    fn read_row(&mut self, y: usize, planes: &mut [&mut [u8]]) -> Result<()> {
        // Rows that nobody asks for are read over: a file has no other way.
        while self.next <= y {
            self.reader.next_row(planes[0])?;
            self.next += 1;
        }
        Ok(())
    }
}

/// Rows into a file, or, where only the data are wanted, nowhere.
pub(super) struct FileSink(pub Option<RowWriter>);

impl RowSink for FileSink {
    fn write_row(&mut self, _y: usize, planes: &[&[u8]]) -> Result<()> {
        match &mut self.0 {
            Some(writer) => writer.write_row(planes[0]),
            None => Ok(()),
        }
    }
}

//! Scalars of a run as TensorBoard reads them: records of TensorFlow's `TFRecord` framing, each of
//! which is an `Event` in protocol buffers' wire format (`tensorflow/core/util/event.proto`).
//!
//! Events carry no wall time, so that the file is a function of the run; TensorBoard's axis of steps
//! counts epochs.

use super::EpochReport;

/// The file: what names its version, then for each epoch the rate, the losses and the accuracies.
pub(super) fn file(epochs: &[EpochReport]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut version = Vec::new();
    bytes_field(&mut version, event::FILE_VERSION, b"brain.Event:2");
    record(&mut file, &version);
    for report in epochs {
        let scalars = [
            ("rate", Some(report.rate)),
            ("loss/train", Some(report.train_loss)),
            ("loss/validation", report.validation_loss),
            ("accuracy/train", report.train_accuracy),
            ("accuracy/validation", report.validation_accuracy),
            ("iou/validation", report.validation_iou),
            ("dice/validation", report.validation_dice),
        ];
        let mut summary = Vec::new();
        for (tag, number) in scalars {
            if let Some(number) = number {
                bytes_field(&mut summary, summary::VALUE, &scalar(tag, number as f32));
            }
        }
        let mut event = Vec::new();
        key(&mut event, event::STEP, Wire::Varint);
        varint(&mut event, report.epoch as u64);
        bytes_field(&mut event, event::SUMMARY, &summary);
        record(&mut file, &event);
    }
    file
}

/// Numbers of the fields of `Event`.
mod event {
    pub(super) const STEP: u64 = 2;
    pub(super) const FILE_VERSION: u64 = 3;
    pub(super) const SUMMARY: u64 = 5;
}

/// Numbers of the fields of `Summary` and `Summary.Value`.
mod summary {
    pub(super) const VALUE: u64 = 1;
    pub(super) const TAG: u64 = 1;
    pub(super) const SIMPLE_VALUE: u64 = 2;
}

/// How a field's value is stored.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Bytes = 2,
    Fixed32 = 5,
}

fn scalar(tag: &str, number: f32) -> Vec<u8> {
    let mut value = Vec::new();
    bytes_field(&mut value, summary::TAG, tag.as_bytes());
    key(&mut value, summary::SIMPLE_VALUE, Wire::Fixed32);
    value.extend(number.to_le_bytes());
    value
}

fn key(to: &mut Vec<u8>, field: u64, wire: Wire) {
    varint(to, field << 3 | wire as u64);
}

fn bytes_field(to: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(to, field, Wire::Bytes);
    varint(to, bytes.len() as u64);
    to.extend(bytes);
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Length, its checksum, the bytes, their checksum.
fn record(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = (bytes.len() as u64).to_le_bytes();
    to.extend(length);
    to.extend(masked(crc32c(&length)).to_le_bytes());
    to.extend(bytes);
    to.extend(masked(crc32c(bytes)).to_le_bytes());
}

/// A checksum of bytes that hold checksums is no good one; `TFRecord` turns and shifts it.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, 1993), reflected. The file is a few kilobytes: bit by bit is fast enough.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    /// The epochs of `fixtures/golden/nn/events.py`.
    fn epochs() -> Vec<EpochReport> {
        let full = EpochReport {
            epoch: 1,
            rate: 0.1,
            train_loss: std::f64::consts::LN_10,
            train_accuracy: Some(0.125),
            validation_loss: Some(1.5),
            validation_accuracy: Some(0.7),
            validation_iou: None,
            validation_dice: None,
        };
        let bare =
            EpochReport { train_accuracy: None, validation_loss: None, validation_accuracy: None, ..full };
        vec![
            full,
            EpochReport { epoch: 2, rate: 0.05, train_loss: 1e-7, ..bare },
            EpochReport { epoch: 300, ..full },
        ]
    }

    #[test]
    fn the_bytes_are_those_of_tensorboards_writer() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let wanted = std::fs::read(root.join("fixtures/golden/nn/events.tfevents")).unwrap();
        assert_eq!(file(&epochs()), wanted);
    }

    #[test]
    fn an_epoch_more_only_adds_to_the_file() {
        let epochs = epochs();
        for count in 0..epochs.len() {
            assert!(file(&epochs[..=count]).starts_with(&file(&epochs[..count])), "{count}");
        }
    }
}

//! The pictures that come along, for demonstrations and first steps without a file at hand.
//!
//! Where they are from, and their terms, is told in `fixtures/README.md`.

/// The name and the file of every picture.
///
/// | name | picture |
/// |---|---|
/// | `coins.png` | 24 Greek coins on an uneven background, gray, 384x303 |
/// | `text.png` | a photographed page with uneven light, gray, 448x172 |
/// | `camera.png` | a photographer and his camera, gray, 256x256 |
/// | `astronaut.png` | a portrait in colour, 256x256 |
/// | `cell.png` | a floating cell, phase as gray, 0.107 micrometres a pixel, 320x300 |
/// | `deep-field.png` | far galaxies in colour, 320x320 |
pub const PICTURES: &[(&str, &[u8])] = &[
    ("coins.png", include_bytes!("../../fixtures/pictures/coins.png")),
    ("text.png", include_bytes!("../../fixtures/pictures/text.png")),
    ("camera.png", include_bytes!("../../fixtures/pictures/camera.png")),
    ("astronaut.png", include_bytes!("../../fixtures/pictures/astronaut.png")),
    ("cell.png", include_bytes!("../../fixtures/pictures/cell.png")),
    ("deep-field.png", include_bytes!("../../fixtures/pictures/deep-field.png")),
];

/// The file of the picture with this name, with or without its ending.
pub fn picture(name: &str) -> Option<&'static [u8]> {
    let stem = name.strip_suffix(".png").unwrap_or(name);
    PICTURES.iter().find(|(known, _)| known.strip_suffix(".png") == Some(stem)).map(|&(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageType::{self, Gray8, Rgb8};
    use crate::image::codec::{Limits, read_bytes};

    #[test]
    fn all_are_what_the_table_says() {
        let table: [(&str, ImageType, usize, usize, u64); 6] = [
            // The sums are those of numpy.
            ("coins", Gray8, 384, 303, 11269333),
            ("text", Gray8, 448, 172, 9960413),
            ("camera", Gray8, 256, 256, 8466205),
            ("astronaut", Rgb8, 256, 256, 22552807),
            ("cell", Gray8, 320, 300, 6533047),
            ("deep-field", Rgb8, 320, 320, 5914181),
        ];
        assert_eq!(table.len(), PICTURES.len());
        for (name, ty, width, height, sum) in table {
            let image = read_bytes(picture(name).unwrap(), name, &Limits::default()).unwrap().image;
            assert_eq!((image.ty(), image.width(), image.height()), (ty, width, height), "{name}");
            assert_eq!(image.plane_bytes(0).iter().map(|&v| u64::from(v)).sum::<u64>(), sum, "{name}");
        }
        assert_eq!(picture("coins.png"), picture("coins"));
        assert_eq!(picture("dollars"), None);
    }
}

//! Tests of pictures with masks.

use super::*;
use crate::image::codec::WriteOptions;
use crate::nn::Rng;

fn write(path: &Path, width: usize, values: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let plane = Plane::from_vec(width, values.len() / width, values.to_vec()).unwrap();
    codec::write(path, &Image::Gray8(plane), Format::Png, &WriteOptions::default()).unwrap();
}

fn pair(root: &Path, name: &str, width: usize, values: &[u8]) {
    let picture: Vec<u8> = (0..values.len()).map(|at| at as u8).collect();
    write(&root.join("images").join(name), width, &picture);
    write(&root.join("masks").join(name), width, values);
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn values_are_numbered_by_what_occurs() {
    let named = |count: usize| Some((0..count).map(|i| format!("c{i}")).collect::<Vec<_>>());
    let of = |values: &[usize], names| {
        let (classes, numbers) = numbering(values, names);
        (classes.len(), values.iter().map(|&value| numbers[value]).collect::<Vec<_>>())
    };
    assert_eq!(of(&[0, 255], None), (2, vec![0, 1]));
    assert_eq!(of(&[0, 7], None), (2, vec![0, 1]));
    assert_eq!(of(&[255], None), (2, vec![1]));
    assert_eq!(of(&[0, 1, 255], None), (2, vec![0, 1, IGNORED]));
    assert_eq!(of(&[0, 2, 255], named(4)), (4, vec![0, 2, IGNORED]));
    assert_eq!(of(&[0, 255], named(3)), (3, vec![0, IGNORED]));
    assert_eq!(of(&[0, 255], named(2)), (2, vec![0, 1]));
    assert_eq!(of(&[0, 1, 3], named(3)), (3, vec![0, 1, UNKNOWN]));
    assert_eq!(of(&[1, 2], None), (3, vec![1, 2]));
}

#[test]
fn folders_and_tables_pair_pictures_with_masks() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    pair(&root.join("train"), "a.png", 2, &[0, 1, 2, 255]);
    pair(&root.join("train"), "b.png", 2, &[0, 0, 0, 0]);
    pair(&root.join("test"), "c.png", 2, &[2, 1]);
    std::fs::write(root.join("classes.txt"), "sky\nsea\nland\n").unwrap();
    let test = MaskedPictures::find(root, Split::Test).unwrap().unwrap();
    assert_eq!((test.classes().join(" "), test.mask(0).unwrap()), ("sky sea land".into(), vec![2, 1]));
    let train = MaskedPictures::find(root, Split::Train).unwrap().unwrap();
    assert_eq!((train.len(), train.mask(0).unwrap()), (2, vec![0, 1, 2, IGNORED]));
    assert_eq!(MaskedPictures::open_for_test(root, &train).unwrap().unwrap().len(), 1);

    let table = root.join("train").join("list.csv");
    std::fs::write(&table, "path,mask\nimages/b.png,masks/a.png\n").unwrap();
    assert!(MaskedPictures::is_table(&table));
    assert_eq!(MaskedPictures::open_csv(&table, None).unwrap().mask(0).unwrap()[2], 2);
    std::fs::write(&table, "path,mask\nimages/b.png,masks/d.png\n").unwrap();
    let said = message(MaskedPictures::open_csv(&table, None));
    assert!(said.ends_with("list.csv:2: picture `images/b.png` has no mask `masks/d.png`"), "{said}");
    assert!(MaskedPictures::find(&root.join("test"), Split::Test).unwrap().is_none());
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    pair(root, "a.png", 2, &[0, 1, 2, 9]);
    std::fs::write(root.join("classes.txt"), "sky\nsea\nland\n").unwrap();
    let said = message(MaskedPictures::find(root, Split::Train));
    assert!(said.contains("mask `masks/a.png` has class 9, but there are 3 classes, from 0"), "{said}");
    write(&root.join("masks/a.png"), 4, &[0, 1, 2, 1]);
    let said = message(MaskedPictures::find(root, Split::Train));
    assert!(said.contains("mask `masks/a.png` is of 4x1, but picture `images/a.png` of 2x2"), "{said}");
    std::fs::remove_file(root.join("masks/a.png")).unwrap();
    let said = message(MaskedPictures::find(root, Split::Train));
    assert!(said.contains("picture `images/a.png` has no mask"), "{said}");
}

#[test]
fn windows_show_every_pixel_once_and_masks_go_along() {
    let folder = tempfile::tempdir().unwrap();
    // A mask that is the picture: 7 x 5 pixels, all different; 0 and 1 of two digits each.
    let values: Vec<u8> = (0..35).collect();
    pair(folder.path(), "a.png", 7, &values);
    let data = MaskedPictures::find(folder.path(), Split::Train).unwrap().unwrap();
    assert_eq!(data.windows(0, [3, 4]), 4);
    let (mut pixels, mut labels) = (vec![0.0; 12], vec![0; 12]);
    let mut seen = vec![0; 35];
    for at in 0..4 {
        data.read_masked(0, Cut::Window(at), [1, 3, 4], &mut pixels, &mut labels).unwrap();
        for (pixel, &label) in pixels.iter().zip(&labels).filter(|(_, label)| **label != IGNORED) {
            assert_eq!((pixel * 255.0).round() as usize, label);
            seen[label] += 1;
        }
    }
    assert_eq!(seen, [1; 35]);
    let mut corners = std::collections::BTreeSet::new();
    for seed in 0..200 {
        data.read_masked(0, Cut::Random(Rng::new(seed)), [1, 3, 4], &mut pixels, &mut labels).unwrap();
        assert!(pixels.iter().zip(&labels).all(|(pixel, &label)| (pixel * 255.0).round() as usize == label));
        corners.insert(labels[0]);
    }
    assert_eq!(corners.len(), 3 * 4);
    // Larger than the picture: mirrored, and only the picture counts.
    let (mut pixels, mut labels) = (vec![0.0; 80], vec![0; 80]);
    data.read_masked(0, Cut::Random(Rng::new(1)), [1, 8, 10], &mut pixels, &mut labels).unwrap();
    assert_eq!(labels.iter().filter(|label| **label != IGNORED).count(), 35);
    assert_eq!((labels[7], pixels[7]), (IGNORED, pixels[6]));
    // Resized: the nearest.
    let (mut pixels, mut labels) = (vec![0.0; 4], vec![0; 4]);
    data.read_masked(0, Cut::Resized, [1, 2, 2], &mut pixels, &mut labels).unwrap();
    assert_eq!(labels, [8, 12, 22, 26]);
}

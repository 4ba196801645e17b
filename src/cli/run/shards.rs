//! Several journals in one folder: the shards of a run, and runs that do not go together.

use std::fs::File;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::args::Shard;
use super::journal::{Entry, Index, difference, entry_at, name, put, read};
use crate::{Error, Result};

/// Refuses a folder with journals of runs that would write the same files: of the whole beside shards, of
/// shards of another number, or of another pipeline.
pub(super) fn check_others(folder: &Path, shard: Option<Shard>, manifest: &Map<String, Json>) -> Result<()> {
    let Ok(listing) = std::fs::read_dir(folder) else { return Ok(()) };
    let own = name(shard);
    let mut names: Vec<String> = listing
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_suffix(".jsonl").is_some_and(|name| name.starts_with("journal")))
        .filter(|name| *name != own)
        .collect();
    names.sort();
    for other in names {
        let path = folder.join(&other);
        let is_shard = |shard: &Shard| other.ends_with(&format!("-of-{}.jsonl", shard.count));
        let why = match shard.filter(is_shard) {
            None => "it is not of a run of these shards".to_owned(),
            Some(_) => {
                let mut file = File::open(&path).map_err(|error| Error::io(path.display(), error))?;
                // A head that is being written is nobody's yet.
                let Ok((before, ..)) = read(&mut file, &path) else { continue };
                let Some(why) = difference(&before, manifest) else { continue };
                why
            }
        };
        let message = format!("`{}` is of another run: {why}", path.display());
        return Err(Error::input(message).with_hint("give another folder with `-o`, or remove that file"));
    }
    Ok(())
}

/// The journals of all shards in a folder, their images in input order.
pub(in super::super) struct Shards {
    /// The manifest they share.
    pub(super) manifest: Map<String, Json>,
    files: Vec<File>,
    index: Vec<(usize, (u64, usize))>,
}

impl Shards {
    /// # Errors
    /// When a shard is missing, of another run, or not done.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let listing = std::fs::read_dir(folder).map_err(|error| Error::io(folder.display(), error))?;
        let count = listing.filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let (_, count) = name.strip_prefix("journal.")?.strip_suffix(".jsonl")?.split_once("-of-")?;
            count.parse::<usize>().ok()
        });
        let Some(count) = count.max() else {
            let message = format!("`{}` holds no journal of a shard", folder.display());
            return Err(Error::input(message).with_hint("run with `--shard I/N -o DIR` first"));
        };
        let mut files = Vec::new();
        let mut first: Option<Map<String, Json>> = None;
        let mut lines = Index::new();
        let mut index = Vec::new();
        for shard in 0..count {
            let path = folder.join(name(Some(Shard { index: shard, count })));
            let mut file = File::open(&path).map_err(|error| {
                Error::io(path.display(), error)
                    .with_hint(format!("has shard {}/{count} been run?", shard + 1))
            })?;
            if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock_shared() {
                let message = format!("`{}`: a run is still writing", path.display());
                return Err(Error::input(message).with_hint("wait for its end"));
            }
            let (manifest, lines_of_shard, _) = read(&mut file, &path)?;
            if let Some(first) = &first
                && let Some(what) = difference(first, &manifest)
            {
                return Err(Error::input(format!("`{}` is of another run: {what}", path.display())));
            }
            first.get_or_insert(manifest);
            files.push(file);
            for (at, place) in lines_of_shard.into_iter().enumerate() {
                if let Some(place) = place {
                    put(&mut lines, at, place);
                    index.push((at, (shard, place)));
                }
            }
        }
        let manifest = first.unwrap_or_default();
        let wanted = manifest.get("inputs").and_then(Json::as_u64).unwrap_or_default() as usize;
        if let Some(missing) = (0..wanted).find(|&at| lines.get(at).copied().flatten().is_none()) {
            let shard = missing % count + 1;
            let message =
                format!("image {} of {wanted} is not done: it belongs to shard {shard}/{count}", missing + 1);
            return Err(Error::input(message).with_hint(format!("run `--shard {shard}/{count} --resume`")));
        }
        index.sort_unstable();
        index.dedup_by_key(|(at, _)| *at);
        let index = index.into_iter().map(|(_, place)| place).collect();
        Ok(Self { manifest, files, index })
    }

    /// Every image, in input order.
    pub(super) fn entries(&mut self) -> impl Iterator<Item = Result<Entry>> {
        self.index.iter().map(|&(shard, place)| {
            entry_at(&mut self.files[shard], place)
                .map_err(|error| Error::io(format!("journal of shard {}", shard + 1), error))
        })
    }
}

//! One pipeline on one picture after the other, in memory that stays.

use std::sync::{Arc, Mutex, PoisonError};

use super::run::{self, Picture, Space};
use super::{Pipeline, Plan, Results, RunOptions, alpha_mask};
use crate::Result;
use crate::image::{Image, Plane};
use crate::ops::Context;
use crate::ops::row::Shape;

/// A loop over pictures of one size: the plan, all that runs work in, and the results are kept and used
/// again. Nearly all stages allocate nothing from the third picture on; lists of runs of pixels (`canny`,
/// `hysteresis`, `fill-holes` ...) grow with a picture that has more of them than all before.
///
/// What still allocates: lists of what stages find (`label`, `contours`, detectors, classifiers), the vectors of
/// `hog`, and what `clahe`, `flat-field`, `match-template`, `multi-otsu`, `rolling-ball`, `watershed` and nets work
/// in; `normalize` and `threshold` by a method on floats; windows of more than 64 rows. With several threads, whole
/// steps make lists of their bands. Pictures of another size make a new plan.
///
/// ```
/// use lyncean::image::{Image, Plane};
/// use lyncean::pipeline::{Pipeline, RunOptions};
///
/// let pipeline = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"threshold\"\nlevel = 100")?;
/// let mut session = pipeline.session(RunOptions::default());
/// for brightness in [50, 150] {
///     let frame = Image::Gray8(Plane::filled(4, 3, brightness));
///     let results = session.run(&frame)?;
///     let mask = results.output().unwrap().as_gray8()?;
///     assert_eq!(mask.get(0, 0), if brightness > 100 { 255 } else { 0 });
/// }
/// # Ok::<(), lyncean::Error>(())
/// ```
pub struct Session<'a> {
    pipeline: &'a Pipeline,
    options: RunOptions,
    cx: Context,
    room: Room,
    results: Results,
}

/// A plan, and what its runs work in.
#[derive(Default)]
pub(super) struct Room {
    plan: Option<(Shape, Arc<Plan>)>,
    space: Space,
}

impl Room {
    /// Takes up a plan; what an earlier one worked in is given up.
    fn enter(&mut self, shape: Shape, plan: &Arc<Plan>) {
        if !self.plan.as_ref().is_some_and(|(_, known)| Arc::ptr_eq(known, plan)) {
            self.space = Space::default();
            self.plan = Some((shape, Arc::clone(plan)));
        }
    }
}

/// Rooms of runs that are over, for those to come: as many as ever ran at once, up to a limit.
#[derive(Default)]
pub(super) struct Rooms(Mutex<Vec<Room>>);

impl Rooms {
    const MOST: usize = 16;

    fn take(&self, plan: &Arc<Plan>) -> Room {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |room: &Room| room.plan.as_ref().is_some_and(|(_, known)| Arc::ptr_eq(known, plan));
        rooms.iter().rposition(fits).map(|at| rooms.swap_remove(at)).unwrap_or_default()
    }

    fn put(&self, room: Room) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() >= Self::MOST {
            rooms.remove(0);
        }
        rooms.push(room);
    }
}

impl Pipeline {
    /// A [`Session`]: for loops over pictures of one size.
    pub fn session(&self, options: RunOptions) -> Session<'_> {
        let cx = self.context(&options);
        Session { pipeline: self, options, cx, room: Room::default(), results: Results::default() }
    }

    /// Runs once, in a room that an earlier run left.
    pub(super) fn run_once(
        &self,
        picture: Picture<'_>,
        alpha: Option<&Plane<u8>>,
        options: &RunOptions,
    ) -> Result<Results> {
        let shape = Shape::of(picture.image());
        let plan = self.plan(shape, options)?;
        let alpha = mask(&plan, picture.image(), alpha)?;
        let cx = self.context(options);
        let mut room = self.rooms.take(&plan);
        room.enter(shape, &plan);
        run::run(&plan, picture, alpha, &mut room.space, &cx)?;
        let results = run::results(&plan, &room.space.values, (shape.width, shape.height));
        room.space.values.clear();
        self.rooms.put(room);
        Ok(results)
    }
}

/// `input.alpha`, where a stage reads it.
fn mask(plan: &Plan, image: &Image, alpha: Option<&Plane<u8>>) -> Result<Option<Arc<Image>>> {
    if plan.reads_alpha() { Ok(Some(Arc::new(alpha_mask(image, alpha)?))) } else { Ok(None) }
}

impl Session<'_> {
    /// Runs on the next picture. The results stand in the place of those before; to keep an image longer,
    /// clone its [`Arc`].
    ///
    /// # Errors
    /// As [`Pipeline::run`], and [`Cancelled`](crate::ErrorKind::Cancelled). The session can go on with
    /// another picture.
    pub fn run(&mut self, image: &Image) -> Result<&Results> {
        self.run_with_alpha(image, None)
    }

    /// As [`run`](Self::run), with the picture's alpha (0..=255), for pipelines that read `input.alpha`.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with_alpha(&mut self, image: &Image, alpha: Option<&Plane<u8>>) -> Result<&Results> {
        let shape = Shape::of(image);
        let plan = match &self.room.plan {
            Some((known, plan)) if *known == shape => Arc::clone(plan),
            _ => self.pipeline.plan(shape, &self.options)?,
        };
        self.room.enter(shape, &plan);
        self.results.give_back(&self.cx);
        let alpha = mask(&plan, image, alpha)?;
        run::run(&plan, Picture::Borrowed(image), alpha, &mut self.room.space, &self.cx)?;
        let values = &mut self.room.space.values;
        run::fill(&mut self.results, &plan, values, (shape.width, shape.height));
        values.clear();
        Ok(&self.results)
    }

    /// The results of the last picture that went well.
    pub fn results(&self) -> &Results {
        &self.results
    }

    /// Takes the results out, to keep them.
    pub fn take_results(&mut self) -> Results {
        std::mem::take(&mut self.results)
    }

    /// The context of its runs: threads, instruction set, cancellation.
    pub fn context(&self) -> &Context {
        &self.cx
    }
}

//! The instruction set, as a token that is detected once and handed down.
//!
//! Kernels are safe generic code. [`Isa::run`] enters a function compiled for the instruction set
//! of the token, and what is inlined into it is vectorised again for that set. Neither fused
//! multiply-add nor reordered float sums can come of it, so every token gives the same bits.
#![allow(unsafe_code, reason = "entering a function compiled for more instructions is unsafe")]

use std::fmt;
use std::sync::OnceLock;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Proof that this machine has an instruction set. Made by [`Isa::best`] and [`Isa::available`] only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Isa(Level);

impl Isa {
    /// What the compiler's target guarantees: SSE2 on x86-64, NEON on 64-bit Arm.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// The best set of this machine, or the one that the environment variable `LYNCEAN_ISA`
    /// (`portable`, `avx2`, `avx512`) caps it to. Detected once.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let available = Self::available();
            let wanted = std::env::var("LYNCEAN_ISA").unwrap_or_default();
            let capped = available.iter().copied().find(|isa| isa.name() == wanted);
            capped.or(available.last().copied()).unwrap_or(Self::PORTABLE)
        })
    }

    /// Every set of this machine, the portable one first and the best last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "other processors have the portable set alone")]
        let mut sets = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx2() {
                sets.push(Self(Level::Avx2));
                if has_avx512() {
                    sets.push(Self(Level::Avx512));
                }
            }
        }
        sets
    }

    /// The set named `portable`, `avx2` or `avx512`, if this machine has it.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|isa| isa.name() == name)
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        }
    }

    /// Whether hand-written AVX2 code may run.
    #[cfg(target_arch = "x86_64")]
    pub fn has_avx2(self) -> bool {
        self >= Self(Level::Avx2)
    }

    /// Whether hand-written AVX-512 code (F, BW, CD, DQ, VL, VBMI, VNNI: Ice Lake and Zen 4 on) may run.
    #[cfg(target_arch = "x86_64")]
    pub fn has_avx512(self) -> bool {
        self >= Self(Level::Avx512)
    }

    /// This set, or a narrower one for rows of fewer bytes than its vectors have.
    #[must_use]
    pub(super) fn for_row(self, bytes: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        if bytes < 64 {
            return self.min(Self(Level::Avx2));
        }
        let _ = bytes;
        self
    }

    /// Runs `body` compiled for this set. Mark the closure `#[inline(always)]`, and what it calls:
    /// only what is inlined gains.
    #[inline]
    pub fn run<R>(self, body: impl FnOnce() -> R) -> R {
        match self.0 {
            Level::Portable => body(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a token of this level exists only where `has_avx2` was true.
            Level::Avx2 => unsafe { run_avx2(body) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a token of this level exists only where `has_avx512` was true.
            Level::Avx512 => unsafe { run_avx512(body) },
        }
    }
}

impl Default for Isa {
    fn default() -> Self {
        Self::best()
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vnni")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
fn run_avx2<R>(body: impl FnOnce() -> R) -> R {
    body()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,\
                           avx512vbmi,avx512vnni")]
fn run_avx512<R>(body: impl FnOnce() -> R) -> R {
    body()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_set_is_always_there_and_names_lead_back() {
        let sets = Isa::available();
        assert_eq!(sets[0], Isa::PORTABLE);
        assert!(sets.contains(&Isa::best()));
        for isa in sets {
            assert_eq!(Isa::by_name(isa.name()), Some(isa));
            assert_eq!(isa.run(|| 41 + 1), 42);
        }
    }
}

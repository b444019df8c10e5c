//! Vectors of f32, as wide as the machine has them: one small trait, one implementation for each
//! instruction set, and [`Level`], which picks one.
//!
//! A kernel is an `#[inline(always)]` function over [`Simd`]. [`dispatch!`](crate::kernel::simd)
//! compiles it once for each level, inside a function that enables the instructions it needs.

/// An instruction set that kernels can be compiled for. Only [`Level::detect`] and
/// [`Level::available`] make one, so that holding a level means that this machine runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub(crate) Isa);

/// What a [`Level`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isa {
    /// Four lanes in plain Rust: the fall-back, and a first oracle.
    Scalar,
    /// Eight lanes with fused multiply-add (x86-64 since 2013).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Sixteen lanes with fused multiply-add (AVX-512F).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Four lanes with fused multiply-add (every 64-bit Arm).
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Four lanes of WebAssembly; multiply and add are fused where the build has relaxed-simd.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Level {
    /// The fastest level that this machine runs. Nothing is allocated: steps of attacks ask for it.
    pub fn detect() -> Self {
        Self::runs().next_back().unwrap_or(Self(Isa::Scalar))
    }

    /// Every level that this machine runs, from the scalar one to the fastest.
    pub fn available() -> Vec<Self> {
        Self::runs().collect()
    }

    fn runs() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let avx2 = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
        let levels = [
            Some(Isa::Scalar),
            #[cfg(target_arch = "x86_64")]
            avx2.then_some(Isa::Avx2),
            #[cfg(target_arch = "x86_64")]
            (avx2 && std::is_x86_feature_detected!("avx512f")).then_some(Isa::Avx512),
            #[cfg(target_arch = "aarch64")]
            Some(Isa::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Some(Isa::Simd128),
        ];
        levels.into_iter().flatten().map(Self)
    }

    /// Lanes of f32 in one vector of this level.
    pub fn lanes(self) -> usize {
        match self.0 {
            Isa::Scalar => Scalar::LANES,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512::LANES,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Neon::LANES,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => Simd128::LANES,
        }
    }

    /// The name that results are reported under.
    pub fn name(self) -> &'static str {
        match self.0 {
            Isa::Scalar => "native-scalar",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => "native-avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => "native-avx512",
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => "native-neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 if cfg!(target_feature = "relaxed-simd") => "relaxed-simd",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => "simd128",
        }
    }
}

/// The arithmetic that the kernels are written in.
///
/// # Safety
/// Every method may be called only where the instruction set is enabled (inside `dispatch!`);
/// `load` and `store` need `LANES` readable or writable floats at the pointer, of any alignment.
#[allow(clippy::missing_safety_doc)] // One contract for all methods, above.
pub trait Simd: Copy {
    /// A vector of [`LANES`](Self::LANES) floats.
    type V: Copy;
    /// Lanes in one vector.
    const LANES: usize;
    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self::V;
    /// Reads `LANES` floats.
    unsafe fn load(p: *const f32) -> Self::V;
    /// Writes `LANES` floats.
    unsafe fn store(p: *mut f32, v: Self::V);
    /// `a * b + c`; fused where the instruction set has it.
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a + b`.
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    /// The larger of each pair.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// Lane by lane: `a > b ? x : y`.
    unsafe fn select_gt(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V;
    /// `p`, from which nothing is read before `v` is known. It is no instruction: it keeps the compiler from reading ahead where every
    /// register is taken, for which it would keep a sum in memory.
    #[inline(always)]
    unsafe fn then(v: Self::V, p: *const f32) -> *const f32 {
        let _ = v;
        p
    }
}

/// Four lanes in plain Rust.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    type V = [f32; 4];
    const LANES: usize = 4;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self::V {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        // SAFETY: the caller vouches for four readable floats.
        unsafe { p.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, v: Self::V) {
        // SAFETY: the caller vouches for four writable floats.
        unsafe { p.cast::<[f32; 4]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn select_gt(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] > b[i] { x[i] } else { y[i] })
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Simd;
    use std::arch::asm;
    use std::arch::x86_64::*;

    /// Eight lanes of AVX2 with FMA.
    #[derive(Clone, Copy)]
    pub struct Avx2;

    /// Sixteen lanes of AVX-512F.
    #[derive(Clone, Copy)]
    pub struct Avx512;

    // SAFETY of every body below: the caller runs where AVX2 and FMA are enabled, and vouches for
    // the memory behind the pointers.
    impl Simd for Avx2 {
        type V = __m256;
        const LANES: usize = 8;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self::V {
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self::V {
            unsafe { _mm256_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, v: Self::V) {
            unsafe { _mm256_storeu_ps(p, v) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn select_gt(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
            unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_GT_OQ>(a, b)) }
        }
        #[inline(always)]
        #[allow(clippy::pointers_in_nomem_asm_block)] // Nothing is read: there is no instruction.
        unsafe fn then(v: Self::V, mut p: *const f32) -> *const f32 {
            unsafe {
                let v = _mm256_castps256_ps128(v);
                asm!("/* {p} after {v} */", p = inout(reg) p, v = in(xmm_reg) v,
                    options(pure, nomem, nostack, preserves_flags));
            }
            p
        }
    }

    impl Simd for Avx512 {
        type V = __m512;
        const LANES: usize = 16;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self::V {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self::V {
            unsafe { _mm512_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, v: Self::V) {
            unsafe { _mm512_storeu_ps(p, v) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn select_gt(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
            unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b), y, x) }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Simd;
    use std::arch::aarch64::*;

    /// Four lanes of NEON.
    #[derive(Clone, Copy)]
    pub struct Neon;

    // SAFETY of every body below: NEON is part of every 64-bit Arm, and the caller vouches for the memory
    // behind the pointers.
    impl Simd for Neon {
        type V = float32x4_t;
        const LANES: usize = 4;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self::V {
            unsafe { vdupq_n_f32(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self::V {
            unsafe { vld1q_f32(p) }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, v: Self::V) {
            unsafe { vst1q_f32(p, v) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
            unsafe { vfmaq_f32(c, a, b) }
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            unsafe { vaddq_f32(a, b) }
        }
        #[inline(always)]
        unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
            unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
        }
        #[inline(always)]
        unsafe fn select_gt(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
            unsafe { vbslq_f32(vcgtq_f32(a, b), x, y) }
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::Simd128;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use super::Simd;
    use std::arch::wasm32::*;

    /// Four lanes of WebAssembly simd128; the product and the sum are fused where the build has relaxed-simd.
    #[derive(Clone, Copy)]
    pub struct Simd128;

    // SAFETY of every body below: simd128 is enabled for the whole build, and the caller vouches
    // for the memory behind the pointers.
    impl Simd for Simd128 {
        type V = v128;
        const LANES: usize = 4;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self::V {
            f32x4_splat(x)
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self::V {
            unsafe { v128_load(p.cast()) }
        }
        #[inline(always)]
        unsafe fn store(p: *mut f32, v: Self::V) {
            unsafe { v128_store(p.cast(), v) }
        }
        #[inline(always)]
        unsafe fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
            #[cfg(target_feature = "relaxed-simd")]
            return f32x4_relaxed_madd(a, b, c);
            #[cfg(not(target_feature = "relaxed-simd"))]
            f32x4_add(f32x4_mul(a, b), c)
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            f32x4_add(a, b)
        }
        #[inline(always)]
        unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
            f32x4_pmax(b, a)
        }
        #[inline(always)]
        unsafe fn select_gt(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
            v128_bitselect(x, y, f32x4_gt(a, b))
        }
    }
}

/// Calls the generic function `$f::<S>($args)` compiled for `$level`.
///
/// The arguments are evaluated once, before the switch. Expands to an `unsafe` call: the memory
/// that `$f` touches is the caller's to vouch for.
macro_rules! dispatch {
    ($level:expr, $f:ident, $($name:ident : $ty:ty),+ $(,)?) => {{
        match $level.0 {
            $crate::kernel::simd::Isa::Scalar => $f::<$crate::kernel::simd::Scalar>($($name),+),
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::simd::Isa::Avx2 => {
                #[target_feature(enable = "avx2,fma")]
                unsafe fn entry($($name: $ty),+) {
                    // SAFETY: passed on to the caller of `dispatch!`.
                    unsafe { $f::<$crate::kernel::simd::Avx2>($($name),+) }
                }
                entry($($name),+)
            }
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::simd::Isa::Avx512 => {
                #[target_feature(enable = "avx512f,avx2,fma")]
                unsafe fn entry($($name: $ty),+) {
                    // SAFETY: passed on to the caller of `dispatch!`.
                    unsafe { $f::<$crate::kernel::simd::Avx512>($($name),+) }
                }
                entry($($name),+)
            }
            #[cfg(target_arch = "aarch64")]
            $crate::kernel::simd::Isa::Neon => $f::<$crate::kernel::simd::Neon>($($name),+),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            $crate::kernel::simd::Isa::Simd128 => $f::<$crate::kernel::simd::Simd128>($($name),+),
        }
    }};
}
pub(crate) use dispatch;

//! The GPU, opened and spoken of in words.

use anyhow::Result;
#[cfg(feature = "cuda")]
use anyhow::bail;
use candle_core::Device;

/// What drivers answer, and what that means for whoever asked to train on a GPU.
const ANSWERS: [(&[&str], &str); 4] = [
    (
        &["NO_DEVICE", "INVALID_DEVICE", "DEVICE_UNAVAILABLE"],
        "there is no NVIDIA GPU that this program may use: the driver finds none (nvidia-smi lists what it finds). --device cpu trains without",
    ),
    (
        &[
            "SYSTEM_DRIVER_MISMATCH",
            "UNSUPPORTED_PTX_VERSION",
            "COMPAT_NOT_SUPPORTED_ON_DEVICE",
            "NOT_SUPPORTED_ON_DEVICE",
        ],
        "the NVIDIA driver of this machine is too old for this build (nvidia-smi says for which CUDA it is): bring the driver up to date, or \
         build with the toolkit that it is for. --device cpu trains without",
    ),
    (
        &["NO_BINARY_FOR_GPU", "INVALID_PTX", "INVALID_IMAGE"],
        "this build has no code for this GPU: build it for its compute capability (CUDA_COMPUTE_CAP, or scripts/cuda-build --capability)",
    ),
    (
        &["STUB_LIBRARY", "NOT_INITIALIZED", "OPERATING_SYSTEM"],
        "the NVIDIA driver does not start: is the one that is installed the one that runs?",
    ),
];

/// An error of candle's on a GPU in words: no device, a driver that is too old, memory that does not suffice for a batch. Others as they
/// are.
pub fn in_words(error: anyhow::Error, batch: usize) -> anyhow::Error {
    let said = format!("{error:?}");
    if said.contains("OUT_OF_MEMORY") || said.contains("ALLOC_FAILED") {
        return anyhow::anyhow!(
            "the GPU has not enough memory for a batch of {batch} images: try --batch {}, and see what else runs there (nvidia-smi)",
            (batch / 2).max(1)
        );
    }
    match ANSWERS.iter().find(|(keys, _)| keys.iter().any(|key| said.contains(key))) {
        Some((_, words)) => anyhow::anyhow!(*words),
        None => error,
    }
}

/// The first GPU.
///
/// # Errors
/// In words, where there is none, no driver, or one that is too old.
#[cfg(feature = "cuda")]
pub fn cuda(batch: usize) -> Result<Device> {
    // SAFETY: a lookup by a name that ends in 0.
    let version = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"cuDriverGetVersion".as_ptr()) };
    if version.is_null() {
        bail!(
            "there is no NVIDIA driver on this machine (libcuda.so.1 is not loaded). --device cpu trains without a GPU"
        );
    }
    // Asked before anything else: what an old driver has not would end the program where it is called.
    if let Some(wanted) = option_env!("MISREAD_CUDA_VERSION").and_then(|version| version.parse::<i32>().ok())
    {
        let mut has = 0i32;
        // SAFETY: the function of that name has this signature in every driver (cuda.h), and works before all others.
        let answer = unsafe {
            let version: unsafe extern "C" fn(*mut i32) -> i32 = std::mem::transmute(version);
            version(&mut has)
        };
        if answer == 0 && has < wanted {
            let of = |version: i32| format!("{}.{}", version / 1000, version % 1000 / 10);
            bail!(
                "the NVIDIA driver of this machine is too old for this build: it is for CUDA {}, the build for {}. Bring the driver up to \
                 date, or build with the toolkit that it is for. --device cpu trains without",
                of(has),
                of(wanted)
            );
        }
    }
    Device::new_cuda(0).map_err(|error| in_words(error.into(), batch))
}

/// Says that this build has no CUDA.
///
/// # Errors
/// Always.
#[cfg(not(feature = "cuda"))]
pub fn cuda(_batch: usize) -> Result<Device> {
    anyhow::bail!("this build has no CUDA; build it with --features cuda")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_answers_is_said_in_words() {
        // As cudarc has it: DriverError(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected").
        for (answer, words) in [
            ("DriverError(CUDA_ERROR_NO_DEVICE, \"no CUDA-capable device is detected\")", "no NVIDIA GPU"),
            ("DriverError(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, \"\")", "too old"),
            ("DriverError(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, \"\")", "too old"),
            ("DriverError(CUDA_ERROR_NO_BINARY_FOR_GPU, \"\")", "compute capability"),
            (
                "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
                "a batch of 128 images: try --batch 64",
            ),
            ("CublasError(CUBLAS_STATUS_ALLOC_FAILED)", "--batch 64"),
        ] {
            let said = in_words(anyhow::anyhow!("{answer}").context("a step"), 128).to_string();
            assert!(said.contains(words), "{answer}: {said}");
        }
        assert_eq!(in_words(anyhow::anyhow!("the loss became NaN"), 1).to_string(), "the loss became NaN");
        assert!(in_words(anyhow::anyhow!("OUT_OF_MEMORY"), 1).to_string().contains("--batch 1,"));
    }
}

//! The longer texts of a report.

use crate::datasets::Image;
use crate::metrics::grade::Validity;
use crate::metrics::ssim::ssim;
use crate::metrics::statistics::median;
use crate::study::results::PartResults;
use crate::study::run::World;

/// What must be known of the study's L1 attack before its figures are read.
pub const WEAK_L1: &str = "**Under L1 nothing is decided here.** The study's attacks are the three that it names, under L1 in a sparse \
    form that always moves a twentieth of the pixels, and they are not the strongest: Auto-PGD under L1 fools about twice as many \
    digits at small budgets, and turns comparisons round. Verdicts on digits that rest on L∞ and L2 stand with the stronger \
    attacks (`attack --attack strongest`, the lab); what is said of L1 does not.";

/// How a verdict comes about.
pub const HOW_DECIDED: &str = "H0: a VAE classifier is less vulnerable than a CNN. H1: attacks on high pixel density (LFW, 154 × 154 in colour) are more \
         effective than on low (MNIST, 28 × 28, grey). Each pair of networks has a family of comparisons, one for each attack and \
         budget: of the shares that are fooled (sign test over images; McNemar's exact test where there is one network each) and of \
         the smallest L2 that L-BFGS finds (Wilcoxon's signed-rank test); between data sets, at the same budget a pixel and by the \
         L2 a pixel, Wilcoxon's rank-sum test. Student's t test over the networks has to reject too (the p-value is the larger of \
         the two); where there is one network of a kind it cannot be made, and the verdict is of these networks alone. P-values \
         are Holm's over the family; families are not corrected against each other. Intervals are 95 % bootstrap \
         intervals that draw networks as well as images. A comparison speaks when its corrected p is below 0.05 and its interval is \
         on one side; a hypothesis holds when comparisons speak and all of them for it, fails when all speak against it, and is \
         undecided otherwise.";

/// What must be known of H1.
pub const DENSITY: &str = "The data sets differ in more than density: in colour, content, number of labels, and so in their networks. H1 can hold \
             without density being the cause. “A pixel” is one number of an image, colours counted apart.";

/// What the threshold of faces means, in words: the SSIM that uniform noise of 8/255, which is plainly visible, leaves.
pub fn calibration(part: &PartResults, world: Option<(&World, usize)>) -> String {
    let (Some((world, place)), Validity::SsimAtLeast(_)) = (world, part.dataset.validity) else {
        return String::new();
    };
    let ready = &world.parts[place];
    let of = |image: &Image| {
        let mut rng = fastrand::Rng::with_seed(image.index as u64);
        let noisy = |x: &f32| (x + 8.0 / 255.0 * (2.0 * rng.f32() - 1.0)).clamp(0.0, 1.0);
        let changed: Vec<f32> = image.pixels.iter().map(noisy).collect();
        ssim(ready.dataset.image, &image.pixels, &changed)
    };
    let i = median(&ready.images.iter().map(of).collect::<Vec<_>>());
    format!(
        " Uniform noise of ±8/255 has a median SSIM of {:.3} [{:.3}, {:.3}] here.",
        i.value, i.low, i.high
    )
}

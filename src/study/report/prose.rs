//! The longer texts of a report.

use crate::datasets::Image;
use crate::metrics::grade::Validity;
use crate::metrics::ssim::ssim;
use crate::metrics::statistics::median;
use crate::study::results::PartResults;
use crate::study::run::World;

/// What must be known of the three attacks at fixed budgets before Tables 2 and 3 are read.
pub const MISSION: &str = "Tables 2 and 3 are of the three attacks that the study before this one made, L1 in a sparse form. They are \
    not the strongest: the verdicts do not rest on them, but on the smallest change that the strongest attack finds \
    (`attack --attack strongest --mode min`).";

/// How a verdict comes about.
pub const HOW_DECIDED: &str = "H0: a VAE classifier is less vulnerable than a CNN. H1: attacks on high pixel density (LFW, 154 × 154 in colour) are more \
         effective than on low (MNIST, 28 × 28, grey). What is compared is, image by image, the smallest change that fools, in each \
         norm; a ratio is that of geometric means. Each pair of networks (or of data sets) is a family of three comparisons, one a \
         norm, with two tests each: over images (Wilcoxon's signed-rank test of the pairs, between data sets his rank-sum test; \
         where photographs of one person are one cluster, Student's t test of their means, Ibragimov and Müller 2010), and Welch's t test \
         over networks that differ in the seed of their training. Both have to reject: the p-value is the larger of the two, with \
         Holm's correction over the three norms; families are not corrected against each other. Where there is one network of a \
         kind the second test cannot be made, and the verdict is of these networks alone. The first interval is Welch's over \
         networks, the second a bootstrap over images (people, of faces) for these networks. In a norm a hypothesis holds or \
         fails when the corrected p is below 0.05 and the interval lies on one side of 1, and is undecided otherwise. Of three networks or more it is tried whether any one of them could be dropped: where a norm would then be decided \
         otherwise, the sentence says without which.";

/// What must be known of H1.
pub const DENSITY: &str = "The data sets differ in more than density: in colour, content, number of labels, and so in their networks. H1 can hold \
             without density being the cause. On which scale distances of two data sets are compared decides what is said: raw; over \
             what a change of 1 in every number of an image would be (“a pixel” is one number, colours counted apart), which on \
             its own makes an image of more pixels the weaker; or over the distance from the nearest training image of another \
             label, as far as which any network has to give in.";

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

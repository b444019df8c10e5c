//! A step of an attack allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use misread::attack::l1::L1Form;
use misread::attack::{Goal, Norm, Options};

use crate::common;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread.
struct Counting;

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more, and nothing to count.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_step_allocates_nothing() {
    let (mut network, samples) = (common::network(), common::samples());
    let of = |name| Options::of(name).unwrap();
    for options in [
        of("linf"),
        Options { form: L1Form::Sparse, ..of("l1") },
        of("l1"),
        of("apgd"),
        of("apgd").under(Norm::L2).unwrap(),
    ] {
        let options = Options { steps: 50, ..options };
        let mut attack = options.attack(&network, &samples.image(7).unwrap(), Goal::Target(3)).unwrap();
        attack.step(&mut network).unwrap();
        let before = COUNT.get();
        assert!(before > 0, "the counter counts");
        for _ in 0..50 {
            attack.step(&mut network).unwrap();
        }
        assert_eq!(COUNT.get(), before, "{options:?}");
    }
}

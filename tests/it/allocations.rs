//! A step of an attack allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use misread::attack::iterative::L1Form;
use misread::attack::options::Method;
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
    for method in [
        Method::Linf,
        Method::L1(L1Form::Sparse),
        Method::L1(L1Form::Published),
        Method::Apgd(Norm::Linf),
        Method::Apgd(Norm::L2),
    ] {
        let options = Options { steps: 50, ..Options::new(method) };
        let mut attack = options.attack(&network, &samples.image(7).unwrap(), Goal::Target(3)).unwrap();
        attack.step(&mut network).unwrap();
        let before = COUNT.get();
        assert!(before > 0, "the counter counts");
        for _ in 0..50 {
            attack.step(&mut network).unwrap();
        }
        assert_eq!(COUNT.get(), before, "{method:?}");
    }
}

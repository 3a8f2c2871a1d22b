//! What the collections promise: D2 above all.

#![allow(clippy::disallowed_types, reason = "tests count drops with what is at hand")]

use std::rc::Rc;
use std::vec::Vec;

use super::{TryBox, TryString, TryVec};
use crate::domain::{Domain, NoMemory};
use crate::handle::{Mem, Obj, Raw};
use crate::heap::HeapKind;
use crate::testing::{Attached, Random, turn};
use crate::{fault, raw_stats};

/// The same random steps on a `TryVec` and on std's `Vec`.
#[test]
fn a_vector_behaves_as_stds() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::ALL[0]);
    let mut random = Random(99);
    let item = Rc::new(());
    let mut ours: TryVec<(usize, Rc<()>)> = TryVec::new();
    let mut theirs: Vec<(usize, Rc<()>)> = Vec::new();
    for step in 0..5000 {
        let index = random.below(theirs.len().max(1)).min(theirs.len());
        let fresh = || (step, item.clone());
        match random.below(12) {
            0..4 => {
                ours.try_push(fresh()).unwrap();
                theirs.push(fresh());
            }
            4 => {
                ours.try_insert(index, fresh()).unwrap();
                theirs.insert(index, fresh());
            }
            5 if index < theirs.len() => assert_eq!(ours.remove(index), theirs.remove(index)),
            6 if index < theirs.len() => {
                assert_eq!(ours.swap_remove(index), theirs.swap_remove(index));
            }
            7 => assert_eq!(ours.pop(), theirs.pop()),
            8 if step % 10 == 0 => {
                ours.truncate(index);
                theirs.truncate(index);
            }
            9 => {
                ours.retain(|(n, _)| n % 7 != 0);
                theirs.retain(|(n, _)| n % 7 != 0);
            }
            10 if step % 5 == 0 => {
                ours.try_resize(index + 3, fresh()).unwrap();
                theirs.resize(index + 3, fresh());
            }
            _ => ours.shrink_to_fit(),
        }
        assert_eq!(&ours[..], &theirs[..]);
    }
    let copy = ours.try_clone().unwrap();
    assert_eq!(copy, ours);
    let mut items = copy.into_iter();
    assert_eq!(items.next(), theirs.first().cloned());
    assert_eq!(items.next_back(), theirs.last().cloned());
    drop(items);
    drop(ours);
    drop(theirs);
    assert_eq!(Rc::strong_count(&item), 1, "each item is dropped once");
    assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
}

/// D2: a vector that cannot grow is as it was.
#[test]
fn a_failed_growth_keeps_the_vector() {
    let _turn = turn();
    let _heap = Attached::new(HeapKind::ALL[0]);
    let mut vec = TryVec::try_from_slice(&[1u64, 2, 3, 4]).unwrap();
    vec.shrink_to_fit();
    fault::arm(Some(1));
    assert_eq!(vec.try_push(5), Err(NoMemory));
    assert!(fault::fired());
    fault::disarm();
    assert_eq!(&vec[..], [1, 2, 3, 4]);
    assert_eq!(vec.try_reserve(usize::MAX), Err(NoMemory));
    assert_eq!(vec.try_reserve(usize::MAX / 16), Err(NoMemory));
    vec.try_push(5).unwrap();
    assert_eq!(&vec[..], [1, 2, 3, 4, 5]);
}

#[test]
fn items_without_a_size_take_no_memory() {
    let mut vec: TryVec<()> = TryVec::new();
    for _ in 0..1000 {
        vec.try_push(()).unwrap();
    }
    assert_eq!(vec.len(), 1000);
    assert_eq!(vec.into_iter().count(), 1000);
}

#[test]
fn raw_parts_come_back_together() {
    let _turn = turn();
    let before = raw_stats().live_blocks;
    let mut vec: TryVec<u32, Raw> = TryVec::new_in(Raw);
    vec.try_extend(0..100).unwrap();
    let (ptr, len, cap) = vec.into_raw_parts();
    // SAFETY: from the line above.
    let vec: TryVec<u32, Raw> = unsafe { TryVec::from_raw_parts(ptr, len, cap) };
    assert_eq!(vec.iter().sum::<u32>(), 4950);
    drop(vec);
    assert_eq!(raw_stats().live_blocks, before);
}

#[test]
fn a_box_may_become_one_of_a_trait() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::ALL[0]);
    let boxed = TryBox::try_new_in(7u8, Obj).unwrap();
    assert_eq!(heap.stats(Domain::Obj).live_blocks, 1);
    let raw = TryBox::into_raw(boxed) as *mut dyn core::fmt::Debug;
    // SAFETY: from the line above.
    let boxed: TryBox<dyn core::fmt::Debug, Obj> = unsafe { TryBox::from_raw(raw) };
    assert_eq!(std::format!("{boxed:?}"), "7");
    drop(boxed);
    assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
    let boxed = TryBox::try_new(std::string::String::from("x")).unwrap();
    assert_eq!(TryBox::into_inner(boxed), "x");
    assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
}

/// D2: formatting fails with `NoMemory` wherever it runs out, for each allocation that it makes.
#[test]
fn formatting_fails_at_every_allocation() {
    let _turn = turn();
    let heap = Attached::new(HeapKind::ALL[0]);
    let long = "x".repeat(300);
    fault::arm(None);
    let whole = crate::try_format!("{long} {} {long}", 42).unwrap();
    let total = fault::count();
    assert!(total >= 2);
    for n in 1..=total {
        fault::arm(Some(n));
        assert_eq!(crate::try_format!("{long} {} {long}", 42), Err(NoMemory));
        assert!(fault::fired());
    }
    fault::disarm();
    assert_eq!(whole.len(), 604);
    drop(whole);
    assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
}

#[test]
fn a_string_stays_text() {
    let _turn = turn();
    let _heap = Attached::new(HeapKind::ALL[0]);
    let mut text = TryString::try_from_str("häß").unwrap();
    text.try_push('€').unwrap();
    assert_eq!(text, "häß€");
    assert_eq!(text.pop(), Some('€'));
    text.truncate(3);
    assert_eq!(text.as_str(), "hä");
    let mut bytes = text.try_clone().unwrap().into_bytes();
    assert!(TryString::from_utf8(bytes.try_clone().unwrap()).is_ok());
    bytes.try_push(0xFF).unwrap();
    assert!(TryString::<Mem>::from_utf8(bytes).is_err());
}

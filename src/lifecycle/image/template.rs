//! An interpreter that nobody knows of: it is in no list, has no number, and runs under its maker's GIL in place of the
//! maker's own.

use core::mem::offset_of;
use core::ptr::{self, NonNull};

use hognose_allocators::{Heap, HeapKind, NoMemory, Raw, Tag, TryVec};

use super::hashes::{self, Ordered};
use super::{Unfit, share};
use crate::lifecycle::{finalize, init, subinterp};
use crate::object::{PyObject, PyResult, gc};
use crate::state::{InterpreterState, ThreadState, attach, block, threads};
use crate::types::code::PyCode;
use crate::types::typ;

/// The number of a template, which is none of an interpreter's.
const TEMPLATE: i64 = i64::MIN;

/// Whether the interpreter is a template.
pub(super) fn is_template(interp: &InterpreterState) -> bool {
    interp.id == TEMPLATE
}

/// What of an interpreter is copied: the rest says who it is. The steps that are copied must change nothing else.
pub(super) static CARRIED: &[(usize, usize)] = &[
    field(offset_of!(InterpreterState, modules), |i| &raw const i.modules),
    field(offset_of!(InterpreterState, sys_dict), |i| &raw const i.sys_dict),
    field(offset_of!(InterpreterState, builtins), |i| &raw const i.builtins),
    field(offset_of!(InterpreterState, sys_module), |i| &raw const i.sys_module),
    field(offset_of!(InterpreterState, builtins_module), |i| &raw const i.builtins_module),
    field(offset_of!(InterpreterState, importlib), |i| &raw const i.importlib),
    field(offset_of!(InterpreterState, import_function), |i| &raw const i.import_function),
    field(offset_of!(InterpreterState, static_types), |i| &raw const i.static_types),
    field(offset_of!(InterpreterState, gc), |i| &raw const i.gc),
    field(offset_of!(InterpreterState, spare), |i| &raw const i.spare),
    field(offset_of!(InterpreterState, codecs), |i| &raw const i.codecs),
    field(offset_of!(InterpreterState, monitoring), |i| &raw const i.monitoring),
    field(offset_of!(InterpreterState, own_versions), |i| &raw const i.own_versions),
    field(offset_of!(InterpreterState, native_state), |i| &raw const i.native_state),
];

/// Where a field begins and how many bytes it has.
const fn field<T>(offset: usize, _: fn(&InterpreterState) -> *const T) -> (usize, usize) {
    assert!(offset.is_multiple_of(8));
    (offset, size_of::<T>())
}

/// Words of an interpreter.
pub(super) const WORDS: usize = size_of::<InterpreterState>() / 8;

pub(super) struct Template {
    pub(super) interp: NonNull<InterpreterState>,
    state: NonNull<ThreadState>,
    pub(super) heap: NonNull<Heap>,
    /// The interpreter's words before anything was built in it.
    before: TryVec<u64, Raw>,
    /// Each class below a base, as addresses.
    pub(super) families: TryVec<(usize, usize), Raw>,
    /// The image is for other processes, which have another key of hashing.
    pub(super) is_to_store: bool,
    /// Then: the tables of dictionaries, and the sets, as addresses.
    pub(super) tables: TryVec<usize, Raw>,
    pub(super) sets: TryVec<usize, Raw>,
    pub(super) largest_set: usize,
}

impl Template {
    /// Builds one whose versions begin a step later than usual.
    ///
    /// Between its fields an interpreter has bytes that mean nothing; `like` says what they are.
    pub(super) fn build(
        ts: &ThreadState,
        steps: [u32; 3],
        like: Option<&Template>,
        is_to_store: bool,
    ) -> Result<Template, Unfit> {
        let mut this = Template::begin(ts)?;
        this.is_to_store = is_to_store;
        if let Some(other) = like {
            let to = this.interp.as_ptr().cast::<u8>();
            for (start, size) in CARRIED {
                // SAFETY: what the fields hold at the beginning is the same in all interpreters.
                unsafe { to.add(*start).copy_from(other.before.as_ptr().cast::<u8>().add(*start), *size) };
            }
        }
        let versions = this.interp().versions();
        for (version, step) in versions.all().into_iter().zip(steps) {
            version.set(version.get() + step);
        }
        let state = this.state;
        // SAFETY: the template lives, and nobody else knows of it.
        let state = unsafe { state.as_ref() };
        let built = attach::in_place_of(ts, state, || {
            let words = copy_of(this.words())?;
            this.before = words;
            if init::build_common(state).is_err() {
                // The main interpreter was built by the same steps: what fails now fails for want of memory, whatever is
                // said.
                state.current_exception.set(None);
                return Err(Unfit::Memory);
            }
            let main = if is_to_store { init::build_main(state) } else { Ok(()) };
            main.and_then(|()| init::rehearse(state)).and_then(|()| this.strip(state)).map_err(|raised| {
                state.clear_raised(raised);
                Unfit::Memory
            })
        });
        match built.and_then(|()| this.check()) {
            Ok(()) => Ok(this),
            Err(unfit) => {
                this.end(ts);
                Err(unfit)
            }
        }
    }

    fn begin(ts: &ThreadState) -> Result<Template, Unfit> {
        let mut config = subinterp::config_for(ts).map_err(|_| Unfit::Memory)?;
        // Blocks of the C library are as large as was asked for, and nothing lies in them from before.
        let heap = Heap::new(HeapKind::Malloc);
        let (interp, state) = (block::take::<InterpreterState>(), block::take::<ThreadState>());
        if interp.is_null() || state.is_null() || heap.is_err() {
            config.clear();
            // SAFETY: taken above, and in use by nobody.
            unsafe {
                block::give(interp);
                block::give(state);
                if let Ok(heap) = heap {
                    Heap::destroy(heap);
                }
            }
            return Err(Unfit::Memory);
        }
        let heap = heap?;
        // SAFETY: fresh blocks with the structs' sizes, which nobody knows of; as is the heap.
        unsafe {
            heap.as_ref().start_blank();
            interp.write(InterpreterState::new(heap, TEMPLATE));
            *(*interp).config.get() = config;
            let state = threads::create_in(state, &*interp);
            (*interp).main_thread_state.set(state.as_ptr());
            (*interp).pending_calls.belong_to(&raw const (*interp).nobody);
            let interp = NonNull::new_unchecked(interp);
            Ok(Template {
                interp,
                state,
                heap,
                before: TryVec::new_in(Raw),
                families: TryVec::new_in(Raw),
                is_to_store: false,
                tables: TryVec::new_in(Raw),
                sets: TryVec::new_in(Raw),
                largest_set: 0,
            })
        }
    }

    pub(super) fn interp(&self) -> &InterpreterState {
        // SAFETY: it lives as long as this.
        unsafe { self.interp.as_ref() }
    }

    pub(super) fn heap(&self) -> &Heap {
        // SAFETY: it lives as long as this.
        unsafe { self.heap.as_ref() }
    }

    /// The interpreter as it lies in memory.
    pub(super) fn words(&self) -> &[u64] {
        // SAFETY: nobody writes to it while the result is in use; padding is read as what the block held.
        unsafe { core::slice::from_raw_parts(self.interp.as_ptr().cast(), WORDS) }
    }

    /// Takes out what is not to be copied (S2), and what is the thread's.
    fn strip(&mut self, ts: &ThreadState) -> PyResult<()> {
        let interp = ts.interp();
        // What holds nothing that collections are for goes out of their sight.
        gc::collect(ts, gc::GENERATIONS - 1);
        interp.gc.settle();
        crate::modules::posix::set_environment(ts, false)?;
        let families = &mut self.families;
        typ::take_families(ts, &mut |base, class| {
            Ok(families.try_push((ptr::from_ref(base).addr(), ptr::from_ref(class).addr()))?)
        })?;
        for_each_plain_object(ts.heap(), &mut |object| {
            if let Some(code) = object.downcast_exact::<PyCode>() {
                code.forget_specializations();
            }
        });
        interp.type_cache.stop(ts.heap());
        // SAFETY: no frame is there.
        unsafe { (*ts.data_stack.get()).free(ts.heap()) };
        if self.is_to_store {
            self.forget_hashes(ts)?;
        }
        Ok(())
    }

    /// Makes objects forget their hashes, and notes what is ordered by hashes.
    fn forget_hashes(&mut self, ts: &ThreadState) -> Result<(), NoMemory> {
        let (tables, sets, largest_set) = (&mut self.tables, &mut self.sets, &mut self.largest_set);
        let mut failed = Ok(());
        let mut visit = |object: &PyObject| {
            hashes::forget(object);
            let noted = match hashes::ordered_by_them(object) {
                None => Ok(()),
                Some(Ordered::Table(keys)) => tables.try_push(keys.addr()),
                Some(Ordered::Set(set)) => {
                    *largest_set = set.places().max(*largest_set);
                    sets.try_push(ptr::from_ref(set).addr())
                }
            };
            if noted.is_err() {
                failed = noted;
            }
        };
        // What the collector does not know of has no class of its own.
        for_each_plain_object(ts.heap(), &mut visit);
        ts.interp().gc.for_each(&mut visit);
        failed
    }

    /// Whether the steps have changed nothing but what is copied.
    fn check(&self) -> Result<(), Unfit> {
        // Its strings are in a table that is made anew.
        let interned = offset_of!(InterpreterState, interned);
        let interned = interned..interned + size_of::<crate::types::str::InternTable>();
        let is_carried = |offset| {
            interned.contains(&offset) || CARRIED.iter().any(|(start, size)| (*start..start + size).contains(&offset))
        };
        let changed = self.words().iter().zip(self.before.iter()).map(|(now, before)| now != before);
        for (index, changed) in changed.enumerate() {
            if changed && !is_carried(index * 8) {
                return Err(Unfit::Because(c"the steps have changed what says who an interpreter is"));
            }
        }
        Ok(())
    }

    /// Ends it, with all that is in it.
    pub(super) fn end(self, ts: &ThreadState) {
        let interp = self.interp.as_ptr();
        // SAFETY: nobody else knows of it, and it is not used again.
        unsafe {
            attach::in_place_of(ts, self.state.as_ref(), || finalize::clear(self.state.as_ref()));
            threads::delete(self.state);
            (*(*interp).config.get()).clear();
            debug_assert_eq!(
                self.heap().stats(hognose_allocators::Domain::Obj).live_blocks,
                0,
                "a template's objects end with it"
            );
            ptr::drop_in_place(interp);
            block::give(interp);
            Heap::destroy(self.heap);
        }
    }
}

/// Calls `f` with each object of a built-in type in a heap.
fn for_each_plain_object(heap: &Heap, f: &mut dyn FnMut(&PyObject)) {
    heap.walk_tagged(&mut |tag, p, size| {
        if tag == Tag::Mem || size < 4 * size_of::<usize>() {
            return;
        }
        // SAFETY: the block is as large. What it holds is not known before its type is.
        let object = unsafe { &*share::object_at(p, tag) };
        let typ = object.ob_type.get().addr();
        if share::PLAIN.iter().any(|plain| ptr::from_ref(&plain.object).addr() == typ) {
            f(object);
        }
    });
}

fn copy_of(words: &[u64]) -> Result<TryVec<u64, Raw>, NoMemory> {
    let mut copy = TryVec::new_in(Raw);
    copy.try_extend_from_copy(words)?;
    Ok(copy)
}

//! `PickleBuffer`. Declared in `picklebufobject.h`.

use crate::capi;
use crate::modules::_pickle::buffer::PyPickleBuffer;
use crate::object::buffer::PyBuffer;
use crate::object::{PyObject, Ref};

capi! {
    /// A buffer of an object's memory.
    fn PyPickleBuffer_FromObject(ts, object: &PyObject) -> Ref<PyPickleBuffer> {
        PyPickleBuffer::from_object(ts, object)
    }

    /// The view, which stays the object's; ValueError when it has been released.
    fn PyPickleBuffer_GetBuffer(ts, buffer: &PyPickleBuffer) -> *mut PyBuffer {
        Ok(core::ptr::from_ref(buffer.view(ts)?).cast_mut())
    }

    /// Gives the view back.
    fn PyPickleBuffer_Release(ts, buffer: &PyPickleBuffer) -> () {
        buffer.release_view(ts);
        Ok(())
    }
}

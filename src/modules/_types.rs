//! `_types`: the built-in types that have no name of their own, for `types`.

use crate::modules::ModuleSpec;
use crate::object::{AsObject, PyResult, StaticType};
use crate::state::ThreadState;
use crate::types::builtin_function::BUILTIN_FUNCTION_TYPE;
use crate::types::capsule::CAPSULE_TYPE;
use crate::types::cell::CELL_TYPE;
use crate::types::code::CODE_TYPE;
use crate::types::descr;
use crate::types::ellipsis::ELLIPSIS_TYPE;
use crate::types::frame::FRAME_TYPE;
use crate::types::function::FUNCTION_TYPE;
use crate::types::generator;
use crate::types::genericalias::GENERIC_ALIAS_TYPE;
use crate::types::mappingproxy::MAPPING_PROXY_TYPE;
use crate::types::method::METHOD_TYPE;
use crate::types::module::{MODULE_TYPE, PyModule};
use crate::types::namespace::NAMESPACE_TYPE;
use crate::types::none::NONE_TYPE;
use crate::types::notimplemented::NOT_IMPLEMENTED_TYPE;
use crate::types::traceback::TRACEBACK_TYPE;
use crate::types::union::UNION_TYPE;

/// The module.
pub static MODULE: ModuleSpec =
    ModuleSpec { name: "_types", doc: "Define names for built-in types.", exec: Some(exec), ..ModuleSpec::EMPTY };

static NAMES: &[(&str, &StaticType)] = &[
    ("AsyncGeneratorType", &generator::ASYNC_GEN_TYPE),
    ("BuiltinFunctionType", &BUILTIN_FUNCTION_TYPE),
    // The same: methods are functions with a self.
    ("BuiltinMethodType", &BUILTIN_FUNCTION_TYPE),
    ("CapsuleType", &CAPSULE_TYPE),
    ("CellType", &CELL_TYPE),
    ("ClassMethodDescriptorType", &descr::CLASSMETHOD_DESCR_TYPE),
    ("CodeType", &CODE_TYPE),
    ("CoroutineType", &generator::COROUTINE_TYPE),
    ("EllipsisType", &ELLIPSIS_TYPE),
    ("FrameType", &FRAME_TYPE),
    ("FunctionType", &FUNCTION_TYPE),
    ("GeneratorType", &generator::GENERATOR_TYPE),
    ("GenericAlias", &GENERIC_ALIAS_TYPE),
    ("GetSetDescriptorType", &descr::GETSET_DESCR_TYPE),
    ("LambdaType", &FUNCTION_TYPE),
    ("MappingProxyType", &MAPPING_PROXY_TYPE),
    ("MemberDescriptorType", &descr::MEMBER_DESCR_TYPE),
    ("MethodDescriptorType", &descr::METHOD_DESCR_TYPE),
    ("MethodType", &METHOD_TYPE),
    ("MethodWrapperType", &descr::METHOD_WRAPPER_TYPE),
    ("ModuleType", &MODULE_TYPE),
    ("NoneType", &NONE_TYPE),
    ("NotImplementedType", &NOT_IMPLEMENTED_TYPE),
    ("SimpleNamespace", &NAMESPACE_TYPE),
    ("TracebackType", &TRACEBACK_TYPE),
    ("UnionType", &UNION_TYPE),
    ("WrapperDescriptorType", &descr::WRAPPER_DESCR_TYPE),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, typ) in NAMES {
        module.add(ts, name, typ.object.as_object())?;
    }
    Ok(())
}

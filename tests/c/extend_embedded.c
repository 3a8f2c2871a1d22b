/* A program that offers its own module to the Python in it. */
#include "check.h"

static int argument_count;

static PyObject *count(PyObject *self, PyObject *args)
{
    (void)self;
    if (!PyArg_ParseTuple(args, ":count"))
        return NULL;
    return PyLong_FromLong(argument_count);
}

static PyObject *describe(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"number", "name", "scale", "flag", NULL};
    long number;
    const char *name = "nobody";
    double scale = 1.0;
    int flag = 0;
    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "l|s$dp:describe", names, &number, &name, &scale, &flag))
        return NULL;
    return Py_BuildValue("{s:l,s:s,s:(dO)}", "number", number, "name", name, "rest", scale, flag ? Py_True : Py_False);
}

static PyObject *echo(PyObject *self, PyObject *argument)
{
    (void)self;
    return Py_NewRef(argument);
}

static PyObject *raise_it(PyObject *self, PyObject *args)
{
    const char *text;
    (void)self;
    if (!PyArg_ParseTuple(args, "s:raise_it", &text))
        return NULL;
    return PyErr_Format(PyExc_ValueError, "%s at %d%% of %R", text, 99, args);
}

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS, "How many arguments the process has."},
    {"describe", _PyCFunction_CAST(describe), METH_VARARGS | METH_KEYWORDS, NULL},
    {"echo", echo, METH_O, "The argument."},
    {"raise_it", raise_it, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "emb", "A module of the program's.", -1, methods, NULL, NULL, NULL, NULL};

static PyObject *init_emb(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || PyModule_AddIntConstant(module, "answer", 42) < 0 ||
        PyModule_AddStringConstant(module, "name", "emb") < 0)
        return NULL;
    return module;
}

static int phase_two(PyObject *module) { return PyModule_AddIntConstant(module, "phase", 2); }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, phase_two}, {0, NULL}};
static PyModuleDef phased = {PyModuleDef_HEAD_INIT, "phased", NULL, 0, NULL, slots, NULL, NULL, NULL};
static PyObject *init_phased(void) { return PyModuleDef_Init(&phased); }

int main(int argc, char **argv)
{
    (void)argv;
    argument_count = argc;
    CHECK(PyImport_AppendInittab("emb", init_emb) == 0);
    struct _inittab more[] = {{"phased", init_phased}, {NULL, NULL}};
    CHECK(PyImport_ExtendInittab(more) == 0);
    for (int life = 0; life < 2; life++) {
        begin();
        CHECK(PyRun_SimpleString("import emb, phased\n"
                                 "assert emb.count() >= 1 and emb.answer == 42 and emb.name == 'emb'\n"
                                 "assert emb.__doc__ == \"A module of the program's.\"\n"
                                 "assert emb.echo(emb) is emb\n"
                                 "assert emb.describe(3) == {'number': 3, 'name': 'nobody', 'rest': (1.0, False)}\n"
                                 "assert emb.describe(3, 'x', flag=1, scale=2) == {'number': 3, 'name': 'x', 'rest': (2.0, True)}\n"
                                 "assert phased.phase == 2\n"
                                 "def message(f, *args, **kwargs):\n"
                                 "    try: f(*args, **kwargs)\n"
                                 "    except Exception as e: return f'{type(e).__name__}: {e}'\n"
                                 "def same(a, b):\n"
                                 "    if a != b: raise AssertionError(f'{a} is not {b}')\n"
                                 "same(message(emb.count, 1), 'TypeError: count() takes no arguments (1 given)'.replace(' (1 given)', ''))\n"
                                 "same(message(emb.describe), \"TypeError: describe() missing required argument 'number' (pos 1)\")\n"
                                 "same(message(emb.describe, 'x'), \"TypeError: 'str' object cannot be interpreted as an integer\")\n"
                                 "same(message(emb.describe, 1, 2), 'TypeError: describe() argument 2 must be str, not int')\n"
                                 "same(message(emb.describe, 1, bad=2), \"TypeError: describe() got an unexpected keyword argument 'bad'\")\n"
                                 "same(message(emb.describe, 1, number=2), \"TypeError: argument for describe() given by name ('number') and position (1)\")\n"
                                 "same(message(emb.raise_it, 'oh'), \"ValueError: oh at 99% of ('oh',)\")\n") == 0);
        int failed = end();
        if (failed)
            return failed;
    }
    return 0;
}

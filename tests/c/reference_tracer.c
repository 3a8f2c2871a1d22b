/* Reference tracing: each object that begins and each that ends, of any type, is told once; nothing without a tracer. */
#include "check.h"

struct counts {
    long created, destroyed;
    PyTypeObject *of;
};

static int count(PyObject *object, PyRefTracerEvent event, void *data)
{
    struct counts *counts = data;
    CHECK(PyGILState_Check());
    if (counts->of && Py_TYPE(object) != counts->of)
        return 0;
    if (event == PyRefTracer_CREATE) {
        CHECK(Py_REFCNT(object) == 1);
        counts->created++;
    } else {
        CHECK(event == PyRefTracer_DESTROY && Py_REFCNT(object) == 0);
        counts->destroyed++;
    }
    return 0;
}

/* How many objects of a type begin and end while an expression is evaluated and its value dropped. */
static struct counts of(PyObject *globals, PyTypeObject *type, const char *text)
{
    struct counts counts = {0, 0, type};
    PyObject *code = Py_CompileString(text, "<test>", Py_eval_input);
    CHECK(code);
    CHECK(PyRefTracer_SetTracer(count, &counts) == 0);
    PyObject *value = PyEval_EvalCode(code, globals, globals);
    CHECK(value);
    Py_DECREF(value);
    CHECK(PyRefTracer_SetTracer(NULL, NULL) == 0);
    Py_DECREF(code);
    return counts;
}

static int same(struct counts counts, long n)
{
    if (counts.created == n && counts.destroyed == n)
        return 1;
    fprintf(stderr, "created %ld, destroyed %ld, expected %ld\n", counts.created, counts.destroyed, n);
    return 0;
}

int main(void)
{
    void *data = &data;
    for (int life = 0; life < 2; life++) {
        begin();
        CHECK(PyRefTracer_GetTracer(&data) == NULL && data == NULL);
        CHECK(PyRefTracer_GetTracer(NULL) == NULL);
        PyObject *globals = PyDict_New();
        CHECK(globals);
        /* No collection is to come in between. */
        PyObject *done = PyRun_String("import gc\n"
                                      "gc.disable()\n"
                                      "class C: pass\n"
                                      "class S:\n"
                                      "    __slots__ = ('a',)\n"
                                      "def g(n):\n"
                                      "    yield from range(n)\n"
                                      "many = 1 << 70\n"
                                      "half = 0.5\n"
                                      "from functools import reduce\n",
                                      Py_file_input, globals, globals);
        CHECK(done);
        Py_DECREF(done);
        PyTypeObject *c = (PyTypeObject *)PyDict_GetItemString(globals, "C");
        PyTypeObject *s = (PyTypeObject *)PyDict_GetItemString(globals, "S");
        CHECK(c && s);
        CHECK(same(of(globals, c, "[C() for _ in range(100)]"), 100));
        CHECK(same(of(globals, s, "[S() for _ in range(100)]"), 100));
        CHECK(same(of(globals, &PyList_Type, "[[] for _ in range(10)]"), 11));
        CHECK(same(of(globals, &PyFloat_Type, "[half * i for i in range(50)]"), 50));
        CHECK(same(of(globals, &PyLong_Type, "[i for i in range(100000, 100050)]"), 50));
        CHECK(same(of(globals, &PyLong_Type, "many * many"), 1));
        CHECK(same(of(globals, &PyTuple_Type, "[(i, i) for i in range(7)]"), 7));
        CHECK(same(of(globals, &PyGen_Type, "list(g(5))"), 1));
        CHECK(same(of(globals, &PyUnicode_Type, "['a%s' % half for _ in range(3)] and None"), 6));
        CHECK(same(of(globals, &PyBytes_Type, "[bytes(i) for i in range(2, 12)]"), 10));
        /* Everything, and it comes to nothing. */
        struct counts all = of(globals, NULL, "sorted({str(i): [i / 3] for i in range(1000)})");
        CHECK(all.created > 2900 && all.created == all.destroyed);
        /* Deep nests end one by one, not on the stack. */
        CHECK(same(of(globals, &PyList_Type, "reduce(lambda a, _: [a], range(100000), [])"), 100001));

        /* What C makes is told as well; another one's data is another one's. */
        struct counts first = {0, 0, NULL}, second = {0, 0, NULL};
        CHECK(PyRefTracer_SetTracer(count, &first) == 0);
        CHECK(PyRefTracer_GetTracer(&data) == count && data == &first);
        PyObject *object = PyList_New(3);
        CHECK(PyRefTracer_SetTracer(count, &second) == 0);
        Py_DECREF(object);
        CHECK(PyRefTracer_SetTracer(count, &first) == 0);
        CHECK(first.created == 1 && first.destroyed == 0 && second.created == 0 && second.destroyed == 1);
        Py_DECREF(globals);
        /* It stays through the end, and is gone after. */
        long before = first.destroyed;
        CHECK(end() == 0);
        CHECK(first.destroyed > before + 1000);
    }
    return 0;
}

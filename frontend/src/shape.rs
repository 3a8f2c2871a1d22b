//! How deeply a text nests, found by one quick pass before anything recursive looks at it.
//!
//! The pass knows strings, comments, f-string fields and line structure, nothing more. It bounds the depth
//! of the syntax tree from above: a tree can only be deep where brackets nest, where operators, calls or
//! prefix words follow each other without a comma between them, where blocks nest, and where `elif` follows
//! `elif`. Text that is no Python at all gets a bound too; the parser then says what is wrong with it.

/// What [`measure`] found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// An upper bound of the depth of any expression.
    pub expression_depth: usize,
    /// Lambda expressions inside each other's bodies.
    pub lambda_depth: usize,
    /// The longest run of `elif` clauses.
    pub elif_run: usize,
    /// Blocks inside blocks.
    pub block_depth: usize,
    /// Byte offset of the first line whose indentation depends on how wide a tab is.
    pub ambiguous_tab_at: Option<usize>,
    /// Byte offset of the bracket that is one too many inside of others.
    pub too_many_brackets_at: Option<usize>,
    /// Byte offset of the first character of the line that opens the block one too deep.
    pub too_many_blocks_at: Option<usize>,
}

/// Python allows this many open indentations.
pub const MAX_INDENTS: usize = 100;

/// Python allows this many open brackets.
pub const MAX_BRACKETS: usize = 200;

/// Brackets and f-strings past this many open ones end the pass: the tokenizer refuses the text at 200
/// brackets, and at 150 f-strings.
const MAX_OPEN: usize = 512;

/// What the text at some point is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Bracket,
    /// The literal part of an f-string or t-string.
    Literal {
        quote: u8,
        triple: bool,
    },
    /// A replacement field.
    Field,
    /// The literal part of a field's format specification.
    Spec,
}

struct Level {
    inside: Inside,
    /// Operators, calls and prefix words since the last comma at this level.
    chain: usize,
    /// How many of them are `lambda`.
    lambdas: usize,
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    /// The sum of all levels' chains, and the levels themselves.
    depth: usize,
    lambdas: usize,
    /// The open indentations, once with tabs to the next multiple of eight, once with tabs of one column.
    indents: Vec<(usize, usize)>,
    /// For each open block, the length of the current run of `elif`.
    elif_runs: Vec<usize>,
    shape: Shape,
}

/// Measures `text`.
pub fn measure(text: &[u8]) -> Shape {
    let mut scanner = Scanner {
        text,
        at: 0,
        levels: vec![Level { inside: Inside::Bracket, chain: 0, lambdas: 0 }],
        depth: 0,
        lambdas: 0,
        indents: vec![(0, 0)],
        elif_runs: vec![0],
        shape: Shape::default(),
    };
    scanner.run();
    scanner.shape
}

impl Scanner<'_> {
    fn run(&mut self) {
        self.line_start();
        while self.at < self.text.len() && self.levels.len() < MAX_OPEN {
            match self.inside() {
                Inside::Literal { quote, triple } => self.literal(quote, triple),
                Inside::Spec => self.spec(),
                Inside::Bracket | Inside::Field => self.code(),
            }
            if self.shape.too_many_blocks_at.is_some() || self.shape.too_many_brackets_at.is_some() {
                break;
            }
        }
    }

    fn inside(&self) -> Inside {
        self.levels.last().map_or(Inside::Bracket, |level| level.inside)
    }

    /// No f-string is open: its levels are counted differently.
    fn only_brackets(&self) -> bool {
        self.levels.iter().all(|level| level.inside == Inside::Bracket)
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn link(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.chain += 1;
            self.depth += 1;
            self.shape.expression_depth = self.shape.expression_depth.max(self.depth);
        }
    }

    fn cut(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.depth -= level.chain;
            self.lambdas -= level.lambdas;
            (level.chain, level.lambdas) = (0, 0);
        }
    }

    fn open(&mut self, inside: Inside) {
        self.levels.push(Level { inside, chain: 1, lambdas: 0 });
        self.depth += 1;
        self.shape.expression_depth = self.shape.expression_depth.max(self.depth);
    }

    fn close(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.depth -= level.chain;
            self.lambdas -= level.lambdas;
        }
    }

    /// One step through code.
    fn code(&mut self) {
        let byte = self.peek(0);
        match byte {
            b'\n' => {
                self.at += 1;
                if self.levels.len() == 1 {
                    self.cut();
                    self.line_start();
                }
            }
            b'\\' => self.at += 2,
            b'#' => self.skip_comment(),
            b'\'' | b'"' => self.string(false),
            b'(' | b'[' | b'{' => {
                if self.levels.len() > MAX_BRACKETS && self.only_brackets() {
                    self.shape.too_many_brackets_at = Some(self.at);
                }
                self.at += 1;
                self.open(Inside::Bracket);
            }
            b')' | b']' | b'}' => {
                self.at += 1;
                self.close();
                // What follows may call or subscript what was just closed.
                self.link();
            }
            b',' | b';' => {
                self.at += 1;
                self.cut();
            }
            b':' => {
                self.at += 1;
                if self.inside() == Inside::Field {
                    self.open(Inside::Spec);
                }
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'~' | b'<' | b'>' | b'=' | b'!' | b'.' => {
                self.at += 1;
                self.link();
            }
            b'0'..=b'9' => self.number(),
            _ if is_word(byte) => self.word(),
            _ => self.at += 1,
        }
    }

    fn skip_comment(&mut self) {
        while self.at < self.text.len() && self.text[self.at] != b'\n' {
            self.at += 1;
        }
    }

    fn number(&mut self) {
        while is_word(self.peek(0)) || (self.peek(0) == b'.' && self.peek(1).is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn word(&mut self) {
        let start = self.at;
        while is_word(self.peek(0)) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if matches!(self.peek(0), b'\'' | b'"') && word.len() <= 2 {
            let formatted = word.iter().any(|b| matches!(b, b'f' | b'F' | b't' | b'T'));
            self.string(formatted);
            return;
        }
        if matches!(
            word,
            b"not"
                | b"lambda"
                | b"else"
                | b"if"
                | b"for"
                | b"await"
                | b"yield"
                | b"in"
                | b"is"
                | b"from"
                | b"async"
                | b"and"
                | b"or"
                | b"as"
        ) {
            self.link();
        }
        if word == b"lambda"
            && let Some(level) = self.levels.last_mut()
        {
            level.lambdas += 1;
            self.lambdas += 1;
            self.shape.lambda_depth = self.shape.lambda_depth.max(self.lambdas);
        }
    }

    /// A string whose opening quote is the next byte.
    fn string(&mut self, formatted: bool) {
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if triple { 3 } else { 1 };
        if formatted {
            self.open(Inside::Literal { quote, triple });
            return;
        }
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'\\' => self.at += 2,
                b'\n' if !triple => return,
                byte if byte == quote && (!triple || (self.peek(1) == quote && self.peek(2) == quote)) => {
                    self.at += if triple { 3 } else { 1 };
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// One step through the literal part of an f-string.
    fn literal(&mut self, quote: u8, triple: bool) {
        match self.peek(0) {
            b'\\' if self.peek(1) != b'{' => self.at += 2,
            b'\n' if !triple => self.close(),
            b'{' if self.peek(1) == b'{' => self.at += 2,
            b'{' => {
                self.at += 1;
                self.open(Inside::Field);
            }
            byte if byte == quote && (!triple || (self.peek(1) == quote && self.peek(2) == quote)) => {
                self.at += if triple { 3 } else { 1 };
                self.close();
            }
            _ => self.at += 1,
        }
    }

    /// One step through a format specification.
    fn spec(&mut self) {
        match self.peek(0) {
            b'{' => {
                self.at += 1;
                self.open(Inside::Field);
            }
            b'}' => {
                self.at += 1;
                // The specification ends with its field.
                self.close();
                self.close();
            }
            b'\n' | b'\'' | b'"' => {
                // Only a triple-quoted literal may go on; ending the field early costs a little precision.
                self.close();
                self.close();
            }
            _ => self.at += 1,
        }
    }

    /// At the first column of a logical line: follows the indentation and counts `elif`.
    fn line_start(&mut self) {
        loop {
            let start = self.at;
            let (mut column, mut narrow) = (0, 0);
            loop {
                match self.peek(0) {
                    b' ' => {
                        column += 1;
                        narrow += 1;
                    }
                    b'\t' => {
                        column = (column / 8 + 1) * 8;
                        narrow += 1;
                    }
                    0x0c => (column, narrow) = (0, 0),
                    _ => break,
                }
                self.at += 1;
            }
            match self.peek(0) {
                b'\n' => {
                    self.at += 1;
                    continue;
                }
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                _ if self.at >= self.text.len() => return,
                _ => {}
            }
            let (current, current_narrow) = self.indents.last().copied().unwrap_or((0, 0));
            let mut consistent = column.cmp(&current) == narrow.cmp(&current_narrow);
            if column > current {
                if self.indents.len() >= MAX_INDENTS {
                    self.shape.too_many_blocks_at = Some(start);
                }
                self.indents.push((column, narrow));
                self.elif_runs.push(0);
                self.shape.block_depth = self.shape.block_depth.max(self.indents.len());
            }
            if column < current {
                while self.indents.last().is_some_and(|&(open, _)| open > column) {
                    self.indents.pop();
                    self.elif_runs.pop();
                }
                // A column that no block has is an error of its own.
                consistent =
                    self.indents.last().is_none_or(|&(open, open_narrow)| open != column || open_narrow == narrow);
            }
            if !consistent && self.shape.ambiguous_tab_at.is_none() {
                self.shape.ambiguous_tab_at = Some(start);
            }
            let rest = &self.text[self.at..];
            let is_elif = rest.starts_with(b"elif") && !rest.get(4).copied().is_some_and(is_word);
            if let Some(run) = self.elif_runs.last_mut() {
                *run = if is_elif { *run + 1 } else { 0 };
                let run = *run;
                self.shape.elif_run = self.shape.elif_run.max(run);
            }
            return;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte >= 0x80 || byte.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_operators_add_up() {
        assert_eq!(measure(b"x\n").expression_depth, 0);
        assert!(measure(b"((((((((((x))))))))))\n").expression_depth >= 10);
        assert!(measure("1+".repeat(5000).as_bytes()).expression_depth >= 5000);
        assert!(measure("f()".repeat(5000).as_bytes()).expression_depth >= 5000);
        assert!(measure("not ".repeat(5000).as_bytes()).expression_depth >= 5000);
        assert!(measure("lambda:".repeat(5000).as_bytes()).expression_depth >= 5000);
    }

    #[test]
    fn long_flat_texts_stay_shallow() {
        assert!(measure("'a': b + 1,\n".repeat(5000).as_bytes()).expression_depth < 5);
        assert!(measure(format!("[{}]", "-1, f(2), ".repeat(5000)).as_bytes()).expression_depth < 10);
        assert!(measure("x = '((((((((((((((((((((' # ((((((((((((\n".repeat(50).as_bytes()).expression_depth < 3);
        assert!(measure("f'((((((((((((((((({x}}}'\n".repeat(50).as_bytes()).expression_depth < 5);
    }

    #[test]
    fn nested_fields_count() {
        assert!(measure(b"f'{f\"{f'{x + 1}'}\"}'\n").expression_depth >= 6);
    }

    #[test]
    fn elif_runs_are_per_block() {
        assert_eq!(measure(b"if a:\n  x\nelif b:\n  if c:\n    y\n  elif d:\n    z\nelif e:\n  x\n").elif_run, 2);
        assert_eq!(measure(&b"if a: x\nelif b: x\n".repeat(9)).elif_run, 1);
    }

    #[test]
    fn blocks_are_limited() {
        let nested = |n: usize| (0..n).map(|i| format!("{}if 1:\n", " ".repeat(i))).collect::<String>();
        assert_eq!(measure(nested(100).as_bytes()).too_many_blocks_at, None);
        assert!(measure(nested(102).as_bytes()).too_many_blocks_at.is_some());
    }
}

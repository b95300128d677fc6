//! The part of IGDB's query language that a tracker needs. Owns reading a query, and in `condition`
//! applying it to JSON objects; knows neither games nor HTTP.

mod condition;

pub(super) use condition::{Condition, project, values};
use condition::{Literal, Operand};

/// Parentheses and negations inside each other; deeper is a syntax error.
const DEPTH: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Query {
    pub search: Option<String>,
    pub fields: Vec<String>,
    pub condition: Option<Condition>,
    pub sort: Option<(String, bool)>,
    pub limit: Option<usize>,
    pub offset: usize,
}

/// Why a body is no query; the text is the upstream's `cause`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError(pub String);

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

/// Reads a body: clauses, each ended by `;`, each kind at most once.
pub(super) fn parse(body: &str) -> Result<Query, SyntaxError> {
    let tokens = tokens(body)?;
    let mut query = Query::default();
    let mut seen: Vec<&str> = Vec::new();
    let clauses: Vec<&[Token]> = tokens.split(|token| *token == Token::Sign(";".into())).collect();
    let Some((last, clauses)) = clauses.split_last() else { return Ok(query) };
    if let Some(token) = last.first() {
        return Err(expected("`;`", Some(token)));
    }
    for clause in clauses {
        let Some((Token::Word(name), rest)) = clause.split_first() else {
            return Err(expected("a clause", clause.first()));
        };
        let name = match name.as_str() {
            "f" | "fields" => "fields",
            "x" | "exclude" => "exclude",
            "w" | "where" => "where",
            "s" | "sort" => "sort",
            "l" | "limit" => "limit",
            "o" | "offset" => "offset",
            "search" => "search",
            _ => return Err(expected("a clause", clause.first())),
        };
        if seen.contains(&name) {
            return Err(expected("each clause once", clause.first()));
        }
        seen.push(name);
        match (name, rest) {
            ("fields", rest) => query.fields = words(rest)?,
            ("exclude", rest) => drop(words(rest)?),
            ("search", [Token::Text(text)]) => query.search = Some(text.clone()),
            ("search", rest) => {
                return Err(expected("a STRING as input, surround your input with quotes", rest.first()));
            }
            ("limit", rest) => query.limit = Some(number(rest)?),
            ("offset", rest) => query.offset = number(rest)?,
            ("sort", [Token::Word(field)]) => query.sort = Some((field.clone(), false)),
            ("sort", [Token::Word(field), Token::Word(way)]) if way == "asc" || way == "desc" => {
                query.sort = Some((field.clone(), way == "desc"));
            }
            ("sort", rest) => return Err(expected("asc or desc", rest.last())),
            (_, rest) => {
                let mut reader = Reader { tokens: rest, depth: 0 };
                query.condition = Some(reader.any()?);
                if let Some(token) = reader.tokens.first() {
                    return Err(expected("`;`", Some(token)));
                }
            }
        }
    }
    Ok(query)
}

fn expected(what: &str, found: Option<&Token>) -> SyntaxError {
    let at = match found {
        Some(Token::Word(text) | Token::Text(text) | Token::Sign(text)) => text,
        None => "the end",
    };
    SyntaxError(format!("Expecting {what} starting at '{at}'"))
}

fn tokens(body: &str) -> Result<Vec<Token>, SyntaxError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '*' | '-');
    let mut out = Vec::new();
    let mut rest = body.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            c if c.is_whitespace() => {}
            '"' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some('\\') => text.extend(rest.next()),
                        Some(c) => text.push(c),
                        None => return Err(SyntaxError("Missing closing quote".into())),
                    }
                }
                out.push(Token::Text(text));
            }
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                out.push(Token::Word(word));
            }
            '!' | '>' | '<' => {
                let second = rest.next_if(|c| matches!(c, '=' | '~') && (*c == '=' || first == '!'));
                out.push(Token::Sign(std::iter::once(first).chain(second).collect()));
            }
            c @ (';' | ',' | '=' | '~' | '&' | '|' | '(' | ')' | '[' | ']' | '{' | '}') => {
                out.push(Token::Sign(c.into()));
            }
            c => return Err(expected("a clause", Some(&Token::Sign(c.into())))),
        }
    }
    Ok(out)
}

/// Words between commas.
fn words(tokens: &[Token]) -> Result<Vec<String>, SyntaxError> {
    tokens
        .split(|token| *token == Token::Sign(",".into()))
        .map(|part| match part {
            [Token::Word(word)] => Ok(word.clone()),
            _ => Err(expected("a field", part.first())),
        })
        .collect()
}

fn number(tokens: &[Token]) -> Result<usize, SyntaxError> {
    match tokens {
        [Token::Word(word)] => word.parse().map_err(|_| expected("a number", tokens.first())),
        _ => Err(expected("a number", tokens.first())),
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Sign(text)) if text == sign);
        if found {
            self.next();
        }
        found
    }

    fn any(&mut self) -> Result<Condition, SyntaxError> {
        let mut parts = vec![self.all()?];
        while self.take("|") {
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Result<Condition, SyntaxError> {
        let mut parts = vec![self.one()?];
        while self.take("&") {
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Result<Condition, SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(SyntaxError("Too many parentheses".into()));
        }
        let condition = if self.take("!") {
            Condition::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let inner = self.any()?;
            if !self.take(")") {
                return Err(expected("`)`", self.tokens.first()));
            }
            inner
        } else {
            self.compare()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn compare(&mut self) -> Result<Condition, SyntaxError> {
        let field = match self.next() {
            Some(Token::Word(field)) => field,
            other => return Err(expected("a field", other.as_ref())),
        };
        match self.next() {
            Some(Token::Sign(operator))
                if ["=", "!=", ">", ">=", "<", "<=", "~", "!~"].contains(&operator.as_str()) =>
            {
                Ok(Condition::Compare { field, operator, value: self.operand()? })
            }
            other => Err(expected("an operator", other.as_ref())),
        }
    }

    fn operand(&mut self) -> Result<Operand, SyntaxError> {
        if self.take("(") {
            Ok(Operand::AnyOf(self.list(")")?))
        } else if self.take("[") {
            Ok(Operand::AllOf(self.list("]")?))
        } else if self.take("{") {
            Ok(Operand::Exactly(self.list("}")?))
        } else {
            Ok(Operand::One(self.literal()?))
        }
    }

    fn list(&mut self, close: &str) -> Result<Vec<Literal>, SyntaxError> {
        let mut list = vec![self.literal()?];
        while self.take(",") {
            list.push(self.literal()?);
        }
        if self.take(close) { Ok(list) } else { Err(expected("`,` or an end", self.tokens.first())) }
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        let star = Token::Word("*".into());
        match self.next() {
            Some(Token::Text(text)) => Ok(Literal::Text(text, false, self.take_word(&star))),
            Some(token) if token == star => match self.next() {
                Some(Token::Text(text)) => Ok(Literal::Text(text, true, self.take_word(&star))),
                other => Err(expected("a STRING", other.as_ref())),
            },
            Some(Token::Word(word)) => match word.as_str() {
                "null" => Ok(Literal::Null),
                "true" => Ok(Literal::Flag(true)),
                "false" => Ok(Literal::Flag(false)),
                _ => word
                    .parse()
                    .map(Literal::Number)
                    .map_err(|_| expected("a value", Some(&Token::Word(word)))),
            },
            other => Err(expected("a value", other.as_ref())),
        }
    }

    fn take_word(&mut self, word: &Token) -> bool {
        let found = self.tokens.first() == Some(word);
        if found {
            self.next();
        }
        found
    }
}

#[cfg(test)]
#[path = "apicalypse_test.rs"]
mod tests;

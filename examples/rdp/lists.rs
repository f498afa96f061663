//! What takes several answers: breakpoints, variables, the memory map.

use feedrate::rdp::frame::{Breakpoint, Error, ListVariables, Listed, ReadMap, Region};
use feedrate_rdp::host::command::ListBreakpoints;

use crate::client::Client;
use crate::failure::Failure;
use crate::names::Variable;

/// All breakpoints.
pub(crate) fn breakpoints(client: &mut Client) -> Result<Result<Vec<Listed>, Error>, Failure> {
    let (mut all, mut id) = (Vec::new(), 0);
    loop {
        let list = ListBreakpoints(Breakpoint { addr: 0, id });
        let page = client.ask(&list, |page| (page.more, page.breakpoints.collect::<Vec<_>>()))?;
        let (more, page) = match page {
            Ok(page) => page,
            Err(refused) => return Ok(Err(refused)),
        };
        let next = page.last().and_then(|last| last.id.checked_add(1));
        all.extend(page);
        match next {
            Some(next) if more => id = next,
            _ => return Ok(Ok(all)),
        }
    }
}

/// All variables, and the generation of the program that they are of.
pub(crate) fn variables(client: &mut Client) -> Result<Result<(u32, Vec<Variable>), Error>, Failure> {
    let mut all: Vec<Variable> = Vec::new();
    loop {
        let Ok(from) = u16::try_from(all.len()) else { return Err(endless("variables")) };
        let page = client.ask(&ListVariables { from }, |page| {
            let variables = page.variables.map(Variable::from).collect::<Vec<_>>();
            (page.generation, usize::from(page.total), variables)
        })?;
        let (generation, total, page) = match page {
            Ok(page) => page,
            Err(refused) => return Ok(Err(refused)),
        };
        let ends = page.is_empty();
        all.extend(page);
        if ends || all.len() >= total {
            return Ok(Ok((generation, all)));
        }
    }
}

/// The memory map.
pub(crate) fn map(client: &mut Client) -> Result<Result<Vec<Region>, Error>, Failure> {
    let mut all: Vec<Region> = Vec::new();
    loop {
        let Ok(from) = u16::try_from(all.len()) else { return Err(endless("regions")) };
        let page = client
            .ask(&ReadMap { from }, |page| (usize::from(page.total), page.regions.collect::<Vec<_>>()))?;
        let (total, page) = match page {
            Ok(page) => page,
            Err(refused) => return Ok(Err(refused)),
        };
        let ends = page.is_empty();
        all.extend(page);
        if ends || all.len() >= total {
            return Ok(Ok(all));
        }
    }
}

fn endless(what: &str) -> Failure {
    Failure::Nonsense(format!("there is no end of the {what}"))
}

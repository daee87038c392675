//! Two masters in one workgroup: who does what (MS-BRWS 3.3.5.2, 3.3.5.3, 3.3.5.8).

use super::Controller;
use crate::wire::browser::ServerType;

/// What a local master does that hears of another one, each for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conflict {
    /// It is the primary domain controller: it stays master and sends a RequestElection (3.3.5.2).
    StayAndElect,
    /// It is not, and the other is a domain controller: it gives up at once (3.3.5.2).
    GiveUp,
    /// Neither: it sends a RequestElection. The detailed rules of 3.3.5.2 say to ignore the frame, the opening sentence
    /// of 3.3.5.8 says to send; ignored, two masters would stay. nmbd sends, too.
    Elect,
}

impl Conflict {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::StayAndElect, Self::GiveUp, Self::Elect];

    /// In snake_case, as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StayAndElect => "stay_and_elect",
            Self::GiveUp => "give_up",
            Self::Elect => "elect",
        }
    }

    /// What a local master that is `own` does about another with `announced`.
    pub const fn decide(own: Controller, announced: ServerType) -> Self {
        let controllers = ServerType::DOMAIN_CTRL.union(ServerType::DOMAIN_BAKCTRL);
        match own {
            Controller::Primary => Self::StayAndElect,
            _ if announced.intersects(controllers) => Self::GiveUp,
            _ => Self::Elect,
        }
    }
}

//! The roles as data: what each may do, as Harbor's.

use super::{
    Action::{self, *},
    Resource::{self, *},
    Right, Rights, Role,
};

/// What who may do in a project.
#[derive(Clone, Copy, Debug)]
pub struct ProjectRule {
    /// What.
    pub right: Right,
    who: u8,
}

impl ProjectRule {
    /// Whether a role has the right.
    pub fn has(&self, role: Role) -> bool {
        self.who & bit(role) != 0
    }

    /// Whether everybody has the right in a public project.
    pub fn public(&self) -> bool {
        self.who & P != 0
    }

    /// Whether a robot account may be given the right.
    pub fn robot(&self) -> bool {
        self.who & R != 0
    }
}

/// What may be done with the system; a sysadmin may do all of it and more.
#[derive(Clone, Copy, Debug)]
pub struct SystemRule {
    /// What.
    pub right: Right,
    who: u8,
}

impl SystemRule {
    /// Whether the right is among those that a sysadmin is told to have.
    pub fn sysadmin(&self) -> bool {
        self.who & S != 0
    }

    /// Whether a robot account may be given the right.
    pub fn robot(&self) -> bool {
        self.who & R != 0
    }
}

/// Project administrator.
const A: u8 = bit(Role::ProjectAdmin);
/// Maintainer.
const M: u8 = bit(Role::Maintainer);
/// Developer.
const D: u8 = bit(Role::Developer);
/// Guest.
const G: u8 = bit(Role::Guest);
/// Limited guest.
const L: u8 = bit(Role::LimitedGuest);
/// Everybody in a public project.
const P: u8 = 1 << 6;
/// What a robot account may be given.
const R: u8 = 1 << 7;
/// What a sysadmin is told to have on the system.
const S: u8 = 1 << 0;

/// The bit of a role.
const fn bit(role: Role) -> u8 {
    1 << role as u8
}

const fn rule(resource: Resource, action: Action, who: u8) -> ProjectRule {
    ProjectRule { right: Right::new(resource, action), who }
}

const fn system(resource: Resource, action: Action, who: u8) -> SystemRule {
    SystemRule { right: Right::new(resource, action), who }
}

/// Every right within a project.
pub const PROJECT_RULES: &[ProjectRule] = &[
    rule(Itself, Delete, A),
    rule(Itself, Read, A | M | D | G | L | P),
    rule(Itself, Update, A),
    rule(Accessory, List, A | M | D | G | L | P | R),
    rule(Artifact, Create, A | M | D | R),
    rule(Artifact, Delete, A | M | R),
    rule(Artifact, List, A | M | D | G | L | P | R),
    rule(Artifact, Read, A | M | D | G | L | P | R),
    rule(ArtifactAddition, Read, A | M | D | G | L | P | R),
    rule(ArtifactLabel, Create, A | M | D | R),
    rule(ArtifactLabel, Delete, A | M | D | R),
    rule(Configuration, Read, A | M | D | G | L),
    rule(Configuration, Update, A),
    rule(ExportCve, Create, A | M | D | R),
    rule(ExportCve, List, A | M | D),
    rule(ExportCve, Read, A | M | D | R),
    rule(ImmutableTag, Create, A | M | R),
    rule(ImmutableTag, Delete, A | M | R),
    rule(ImmutableTag, List, A | M | R),
    rule(ImmutableTag, Update, A | M | R),
    rule(Label, Create, A | M | R),
    rule(Label, Delete, A | M | R),
    rule(Label, List, A | M | D | G | P | R),
    rule(Label, Read, A | M | D | G | P | R),
    rule(Label, Update, A | M | R),
    rule(Log, List, A | R),
    rule(Member, Create, A | R),
    rule(Member, Delete, A | R),
    rule(Member, List, A | M | D | G | R),
    rule(Member, Read, A | M | D | G | R),
    rule(Member, Update, A | R),
    rule(Metadata, Create, A | R),
    rule(Metadata, Delete, A | R),
    rule(Metadata, List, R),
    rule(Metadata, Read, A | M | R),
    rule(Metadata, Update, A | R),
    rule(NotificationPolicy, Create, A | R),
    rule(NotificationPolicy, Delete, A | R),
    rule(NotificationPolicy, List, A | M | R),
    rule(NotificationPolicy, Read, A | M | R),
    rule(NotificationPolicy, Update, A | R),
    rule(PreheatPolicy, Create, A | R),
    rule(PreheatPolicy, Delete, A | R),
    rule(PreheatPolicy, List, A | R),
    rule(PreheatPolicy, Read, A | R),
    rule(PreheatPolicy, Update, A | R),
    rule(Project, Delete, R),
    rule(Project, Read, R),
    rule(Project, Update, R),
    rule(Quota, Read, A | M | D | G | L | R),
    rule(Repository, Create, A | M | D),
    rule(Repository, Delete, A | M | R),
    rule(Repository, List, A | M | D | G | L | P | R),
    rule(Repository, Pull, A | M | D | G | L | P | R),
    rule(Repository, Push, A | M | D | R),
    rule(Repository, Read, A | M | D | G | L | R),
    rule(Repository, Update, A | M | D | R),
    rule(Robot, Create, A | R),
    rule(Robot, Delete, A | R),
    rule(Robot, List, A | M | D | G | R),
    rule(Robot, Read, A | M | D | G | R),
    rule(Robot, Update, A),
    rule(Sbom, Create, A | M | R),
    rule(Sbom, Read, A | M | D | G | L | R),
    rule(Sbom, Stop, A | M | R),
    rule(Scan, Create, A | M | R),
    rule(Scan, Read, A | M | D | G | L | P | R),
    rule(Scan, Stop, A | M | R),
    rule(Scanner, Create, A | R),
    rule(Scanner, Read, A | M | D | G | L | P | R),
    rule(Tag, Create, A | M | D | R),
    rule(Tag, Delete, A | M | R),
    rule(Tag, List, A | M | D | G | L | P | R),
    rule(TagRetention, Create, A | M | D | R),
    rule(TagRetention, Delete, A | M | D | R),
    rule(TagRetention, List, A | M | D | R),
    rule(TagRetention, Operate, A | M | D),
    rule(TagRetention, Read, A | M | D | R),
    rule(TagRetention, Update, A | M | D | R),
];

/// Every right on the system.
pub const SYSTEM_RULES: &[SystemRule] = &[
    system(AuditLog, List, S | R),
    system(Catalog, Read, S | R),
    system(Configuration, Read, S),
    system(Configuration, Update, S),
    system(Distribution, Create, S),
    system(Distribution, Delete, S),
    system(Distribution, List, S),
    system(Distribution, Read, S),
    system(Distribution, Update, S),
    system(GarbageCollection, Create, S | R),
    system(GarbageCollection, Delete, S),
    system(GarbageCollection, List, S | R),
    system(GarbageCollection, Read, S | R),
    system(GarbageCollection, Stop, R),
    system(GarbageCollection, Update, S | R),
    system(JobserviceMonitor, List, S | R),
    system(JobserviceMonitor, Read, S),
    system(JobserviceMonitor, Stop, S | R),
    system(Label, Create, R),
    system(Label, Delete, R),
    system(Label, Read, R),
    system(Label, Update, R),
    system(LdapUser, Create, S | R),
    system(LdapUser, List, S | R),
    system(PreheatInstance, Create, R),
    system(PreheatInstance, Delete, R),
    system(PreheatInstance, List, R),
    system(PreheatInstance, Read, R),
    system(PreheatInstance, Update, R),
    system(Project, Create, S | R),
    system(Project, Delete, S),
    system(Project, List, S | R),
    system(Project, Read, S),
    system(Project, Update, S),
    system(PurgeAudit, Create, R),
    system(PurgeAudit, List, R),
    system(PurgeAudit, Read, R),
    system(PurgeAudit, Stop, R),
    system(PurgeAudit, Update, R),
    system(Quota, List, R),
    system(Quota, Read, R),
    system(Quota, Update, R),
    system(Registry, Create, S | R),
    system(Registry, Delete, S | R),
    system(Registry, List, S | R),
    system(Registry, Read, S | R),
    system(Registry, Update, S | R),
    system(Replication, Create, S | R),
    system(Replication, Delete, S),
    system(Replication, List, S | R),
    system(Replication, Read, S | R),
    system(Replication, Update, S),
    system(ReplicationAdapter, List, R),
    system(ReplicationPolicy, Create, R),
    system(ReplicationPolicy, Delete, R),
    system(ReplicationPolicy, List, R),
    system(ReplicationPolicy, Read, R),
    system(ReplicationPolicy, Update, R),
    system(Robot, Create, R),
    system(Robot, Delete, R),
    system(Robot, List, R),
    system(Robot, Read, R),
    system(ScanAll, Create, S | R),
    system(ScanAll, Delete, S),
    system(ScanAll, List, S),
    system(ScanAll, Read, S | R),
    system(ScanAll, Stop, S | R),
    system(ScanAll, Update, S | R),
    system(Scanner, Create, R),
    system(Scanner, Delete, R),
    system(Scanner, List, R),
    system(Scanner, Read, R),
    system(Scanner, Update, R),
    system(SecurityHub, List, S | R),
    system(SecurityHub, Read, S | R),
    system(SystemVolumes, Read, S | R),
    system(User, Create, S | R),
    system(User, Delete, S | R),
    system(User, List, S | R),
    system(User, Read, S | R),
    system(User, Update, S | R),
    system(UserGroup, Create, S | R),
    system(UserGroup, Delete, S | R),
    system(UserGroup, List, S | R),
    system(UserGroup, Read, S | R),
    system(UserGroup, Update, S | R),
];

/// What is allowed by the rules to those with a bit.
const fn of(who: u8) -> Rights {
    let mut rights = Rights::NONE;
    let mut i = 0;
    while i < PROJECT_RULES.len() {
        if PROJECT_RULES[i].who & who != 0 {
            rights = rights.with(PROJECT_RULES[i].right);
        }
        i += 1;
    }
    rights
}

static PROJECT_ADMIN: Rights = of(A);
static MAINTAINER: Rights = of(M);
static DEVELOPER: Rights = of(D);
static GUEST: Rights = of(G);
static LIMITED_GUEST: Rights = of(L);
static PUBLIC: Rights = of(P);

impl Role {
    /// What the role may do in its project.
    pub fn rights(self) -> &'static Rights {
        match self {
            Self::ProjectAdmin => &PROJECT_ADMIN,
            Self::Maintainer => &MAINTAINER,
            Self::Developer => &DEVELOPER,
            Self::Guest => &GUEST,
            Self::LimitedGuest => &LIMITED_GUEST,
        }
    }
}

/// What everybody may do in a public project.
pub(crate) fn public() -> &'static Rights {
    &PUBLIC
}

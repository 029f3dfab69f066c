//! What somebody sees of the repositories of several projects.

use std::{collections::HashMap, sync::Arc};

use crate::{
    rights::{Reach, Right, View},
    robots::Robot,
};

/// The repositories that a caller sees: those of the projects in its view, without those
/// that its rights there do not reach.
#[derive(Clone, Debug)]
pub struct Sight {
    view: View,
    limits: Limits,
}

#[derive(Clone, Debug)]
enum Limits {
    /// All repositories of the view.
    None,
    /// Those of some projects are narrowed, by the number of the project; none are seen
    /// where there is no reach.
    Projects(Arc<HashMap<i64, Option<Reach>>>),
    /// Those that a robot's permissions with a right reach.
    Robot(Arc<Robot>, Right),
}

impl Sight {
    /// All of a view.
    pub(super) fn of(view: View) -> Self {
        Self { view, limits: Limits::None }
    }

    pub(super) fn of_user(user_id: i64, narrowed: HashMap<i64, Option<Reach>>) -> Self {
        let limits = match narrowed.is_empty() {
            true => Limits::None,
            false => Limits::Projects(Arc::new(narrowed)),
        };
        Self { view: View::Of(user_id), limits }
    }

    pub(super) fn of_robot(view: View, robot: Arc<Robot>, right: Right) -> Self {
        let is_whole = robot
            .permissions
            .iter()
            .filter(|permission| permission.scope.kind() == "project")
            .all(|permission| permission.allows(right) && permission.repositories.is_none());
        Self { view, limits: if is_whole { Limits::None } else { Limits::Robot(robot, right) } }
    }

    /// The projects, public ones among them.
    pub fn view(&self) -> View {
        self.view
    }

    /// Whether all repositories of the view are seen.
    pub fn is_whole(&self) -> bool {
        matches!(self.limits, Limits::None)
    }

    /// Whether a repository of a project of the view is seen, named without its project.
    /// All of a public project's are.
    pub fn covers(&self, project_id: i64, is_public: bool, repository: &str) -> bool {
        if is_public {
            return true;
        }
        let reaches = |reach: Option<&Reach>| reach.is_some_and(|reach| reach.covers(repository));
        match &self.limits {
            Limits::None => true,
            Limits::Projects(narrowed) => {
                narrowed.get(&project_id).is_none_or(|reach| reaches(reach.as_ref()))
            }
            Limits::Robot(robot, right) => reaches(robot.reach(project_id, *right).as_ref()),
        }
    }
}

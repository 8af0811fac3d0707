export { inferProjects } from './infer.ts';
export { hashTask } from './hasher.ts';
export { projectConfigurations, type InferredProjects } from './project-configurations.ts';
export { DISTRIBUTION_PROJECT, projectNameOf } from './project-names.ts';

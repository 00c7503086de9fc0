export {
  choice,
  flag,
  integer,
  integers,
  numeric,
  optionalNumber,
  optionalNumbers,
  resolve,
  show,
  type Field,
  type Fields,
} from './fields.ts'
